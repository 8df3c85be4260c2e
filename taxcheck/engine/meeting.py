"""How the processes of one run meet and part, where ``torchrun`` started several side by side."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.peers import Alone, Peers, placed


def join(config: TrainConfig) -> Peers:
    """Meet the other processes of the run, where there are any.

    UsageError where torch has not the device.
    """
    if placed()[1] == 1:
        return Alone()
    from taxcheck.engine.distributed import device_of, from_environment

    return from_environment(device_of(config))


@contextlib.contextmanager
def joined(config: TrainConfig) -> Iterator[Peers]:
    """The same until the end of a block; processes that wait beyond it end with a LostError."""
    peers = join(config)
    try:
        yield peers
    finally:
        if placed()[1] > 1:
            from taxcheck.engine.distributed import leave

            leave()
