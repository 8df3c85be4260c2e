"""Which backend trains: a fused kernel on the CPU, or autograd on any device."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.processes import rank_and_world
from taxcheck.engine.stepper import Floats, Stepper
from taxcheck.model.errors import UsageError

if TYPE_CHECKING:
    from taxcheck.engine.dataset import TrainingData

_INSTALL = "pip install 'taxcheck[torch]'"
_CHUNK = 1 << 17  # pairs that the kernel walks through between two looks at the clock
_BATCHES = 16  # of torch: only the last of them is cut short


def backend_of(config: TrainConfig) -> Literal["numba", "torch"]:
    """The backend of a run; "auto" is numba on the CPU, where it is installed, else torch.

    In several processes it is torch. UsageError where the package is missing, with the command
    that installs it, or where several processes are to share a table of numba.
    """
    name, several = config.backend, rank_and_world()[1] > 1
    if name == "auto":
        fits = config.device == "cpu" and not several
        name = "numba" if fits and find_spec("numba") else "torch"
    if name == "numba" and several:
        raise UsageError(
            "backend = 'numba' trains in one process, on as many threads as `workers` says: start "
            "it without torchrun, or set backend to torch"
        )
    if find_spec(name) is None:
        raise UsageError(f"training needs {name}, which is not installed: {_INSTALL}")
    return name


def chunk_pairs(config: TrainConfig) -> int:
    """Pairs that one call of ``step`` is given: about as much as it does in a second or less."""
    return _CHUNK if backend_of(config) == "numba" else min(_BATCHES * config.batch_size, _CHUNK)


def make_stepper(data: TrainingData, config: TrainConfig, table: Floats) -> Stepper:
    """A stepper for a table (n, width), which it may change in place.

    UsageError where a package is missing, or the config asks for what the backend cannot do.
    """
    backend = backend_of(config)
    try:
        if backend == "numba":
            from taxcheck.engine.kernel_stepper import KernelStepper

            return KernelStepper(data, config, table)
        from taxcheck.engine.torch_stepper import TorchStepper

        return TorchStepper(data, config, table)
    except ImportError as error:
        raise UsageError(f"{backend} cannot be imported ({error}): {_INSTALL}") from None
    except ValueError as error:
        raise UsageError(str(error)) from None
