"""Checkpoints of a run: written whole, refused where data or settings are others, continued.

A checkpoint is one safetensors file: arrays, and words as JSON in its header.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from blake3 import blake3

from taxcheck import __version__
from taxcheck.engine.backend import backend_of
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.dataset import TrainingData
from taxcheck.engine.progress import CLOCK, RunState, columns, norms
from taxcheck.engine.run_folder import RunFolder, whole
from taxcheck.engine.stepper import Floats, Stepper
from taxcheck.engine.stops import DivergedError
from taxcheck.engine.uses import used
from taxcheck.geometry.space import Space
from taxcheck.model.errors import InputError, OutputError, UsageError
from taxcheck.sources.checkpoints.arrays import read_safetensors, safetensors_header
from taxcheck.sources.checkpoints.contents import Stored
from taxcheck.sources.files import InputFile

Arrays = Mapping[str, npt.NDArray[np.generic]]

_EVERY = 30.0  # seconds between checkpoints where evaluations are farther apart
_TABLE, _UPDATES, _STATE, _HISTORY = "embeddings", "updates", "optimizer.", "history."
_WORDS = "standing", "config", "inputs"
# What may change when a run is continued, for its table follows the same path.
_FREE = {"early_stopping", "min_delta", "evaluate_every", "keep_last", "workers"}
_LENGTH = {"epochs", "max_seconds"}  # free where the learning rate does not depend on them
_MARK = "taxcheck"  # the key of what is written beside the arrays, one JSON object
_CHUNK = 1 << 20  # rows


class Checkpoints:
    """Those of one run: the newest, the best, and the last few under numbers.

    Everything is in the one safetensors file, so that nothing can mismatch: the table, how often
    each row was updated, the optimizer's state and the generators', the history as columns, and
    words as JSON. The .json beside it is a copy of the words for people.
    """

    def __init__(
        self, run: RunFolder, data: TrainingData, config: TrainConfig, inputs: Mapping[str, str]
    ) -> None:
        self._run, self._data, self._config = run, data, config
        self._known = {"data": data_fingerprint(data), **inputs}
        self._settings: dict[str, object] = {}
        self._written = time.monotonic()

    def begin(self, stepper: Stepper, at: RunState, *, resume: bool) -> RunState:
        """Continue where the newest checkpoint stands, or keep the beginning as the first one.

        UsageError where the folder holds another run, or this one must not be continued so.
        """
        continued = self._run.begin(resume=resume)
        self._settings = _settings(self._config, stepper.table)
        if not continued:
            self._run.write_initial(stepper.table)
            self.save(stepper, at)
            return at
        try:
            arrays, words = read_tensors(self._run.checkpoint)
            lacking = [name for name in (_TABLE, _UPDATES) if name not in arrays]
            lacking += [name for name in _WORDS if not isinstance(words.get(name), dict)]
            if lacking:
                raise InputError(
                    f"{self._run.checkpoint}: is no whole checkpoint, it lacks {', '.join(lacking)}"
                )
        except InputError as error:
            raise InputError(
                f"{error}; or copy an older checkpoint-*.safetensors of the run over it"
            ) from None
        self._check(words)
        state = {name.removeprefix(_STATE): array for name, array in arrays.items()}
        state |= {"table": arrays[_TABLE], "updates": arrays[_UPDATES]}
        try:
            stepper.restore(state)
            found = {k.removeprefix(_HISTORY): v for k, v in arrays.items() if _HISTORY in k}
            return RunState.of(words["standing"], found)  # type: ignore[arg-type]
        except (ValueError, KeyError, TypeError, IndexError, OverflowError) as error:
            raise UsageError(
                f"{self._run.path}: cannot be continued here ({error}); give the same workers and "
                "device as before"
            ) from None

    @property
    def overdue(self) -> bool:
        """Whether the newest checkpoint is so old that another one is worth its time."""
        return time.monotonic() - self._written > _EVERY

    def save(self, stepper: Stepper, at: RunState) -> None:
        """Write the newest checkpoint, in the place of the one before.

        DivergedError where the table holds a NaN, OutputError where there is no space: then the
        one before stays.
        """
        self._refuse_nan(stepper.table, at)
        state = {
            _STATE + name: array
            for name, array in stepper.state().items()
            if name not in ("table", "updates")
        }
        words = self._words(at)
        try:
            write_tensors(self._run.checkpoint, self._arrays(stepper, at) | state, words)
            with whole(self._run.checkpoint.with_suffix(".json")) as file:
                file.write(json.dumps(words, indent=2).encode() + b"\n")
        except OutputError as error:
            raise OutputError(
                f"{error}; the last checkpoint is whole: make room and continue with `resume`"
            ) from None
        if at.epoch:
            self._run.keep(at.epoch, self._config.keep_last)
        self._written = time.monotonic()

    def save_best(self, stepper: Stepper, at: RunState) -> None:
        """Write the table as the best so far, without what only a continued run needs.

        It knows no clock: equal runs leave equal files.
        """
        self._refuse_nan(stepper.table, at)
        words = self._words(at)
        words["standing"] = {k: v for k, v in words["standing"].items() if k not in CLOCK}
        arrays = {k: v for k, v in self._arrays(stepper, at).items() if not _timed(k)}
        write_tensors(self._run.best, arrays, words)

    def prepare(self) -> None:
        """Load now what ``finish`` will need, so that it is not what a limit of time forgot."""
        if find_spec("torch"):
            import torch  # noqa: F401

    def finish(self, stepper: Stepper, at: RunState) -> None:
        """Give the best table the history of the whole run, and write it for torch too.

        The last table is the best where none was ranked.
        """
        if not self._run.best.is_file():
            self.save_best(stepper, at)
        arrays, words = read_tensors(self._run.best)
        arrays |= {name: column for name, column in _history(at).items() if not _timed(name)}
        words["stopped_early"] = at.stopped_early
        write_tensors(self._run.best, arrays, words)
        write_torch(self._run.best_torch, arrays, words)

    def _arrays(self, stepper: Stepper, at: RunState) -> dict[str, Any]:
        return {_TABLE: stepper.table, _UPDATES: stepper.updates, **_history(at)}

    def _words(self, at: RunState) -> dict[str, Any]:
        return {
            "writer": f"taxcheck {__version__}",
            "epoch": at.epoch,
            "geometry": self._config.geometry,
            "n_nodes": self._data.n_nodes,
            "max_depth": int(self._data.depth.max(initial=0)),
            "stopped_early": at.stopped_early,
            "history_file": self._run.metrics.name,
            "settings": self._settings,
            "config": _meant(self._config),
            "inputs": self._known,
            "standing": at.words(),
        }

    def _refuse_nan(self, table: Floats, at: RunState) -> None:
        broken = np.flatnonzero(~np.isfinite(table).all(axis=1))
        if len(broken):
            raise DivergedError(
                f"epoch {at.epoch}: {len(broken):,} rows are no numbers, first idx {broken[0]}; "
                f"the last checkpoint in {self._run.path} stays; start a new run with half of lr = "
                f"{self._config.lr:g}"
            )

    def _check(self, words: Mapping[str, Any]) -> None:
        """Raise UsageError where the checkpoint was made from other data or other settings."""
        path = self._run.path
        for name, before in words.get("inputs", {}).items():
            now = self._known.get(name, before)
            if now != before:
                what = "pairs or another hierarchy" if name == "data" else name
                raise UsageError(
                    f"{path}: was begun with other {what} ({_short(before)} then, {_short(now)} "
                    "now); give the same files, or start a new run in another folder"
                )
        then = words.get("config", {})
        linear = self._config.lr_schedule == "linear"
        for key, now in _meant(self._config).items():
            before = then.get(key)
            if before == now or key in _FREE or (key in _LENGTH and not linear):
                continue
            why = "another folder"
            if key in _LENGTH:
                why = (
                    "another folder: its linear learning rate falls to 0 by then; only "
                    "lr_schedule = constant can be extended"
                )
            raise UsageError(
                f"{path}: was begun with {key} = {before}, not {now}; give the same, or start a "
                f"new run in {why}"
            )


def data_fingerprint(data: TrainingData) -> str:
    """``blake3:<hex>`` of the pairs and the rows, whatever file they came from."""
    hasher = blake3(np.int64(data.n_nodes).tobytes(), max_threads=blake3.AUTO)
    parts = data.starts, data.ancestors, data.distances, data.weights
    for part in parts:
        if part is not None:
            hasher.update(np.ascontiguousarray(part).view(np.uint8).data)
    return f"blake3:{hasher.hexdigest()}"


def _history(at: RunState) -> dict[str, Any]:
    return {_HISTORY + name: column for name, column in columns(at.history).items()}


def _timed(name: str) -> bool:
    return name.removeprefix(_HISTORY) in CLOCK


def _short(fingerprint: object) -> str:
    return str(fingerprint)[:19]


def _meant(config: TrainConfig) -> dict[str, object]:
    """The keys of a config that say something under the others, as plain values."""
    return {**used(config), "backend": backend_of(config)}


def _settings(config: TrainConfig, initial: Floats) -> dict[str, object]:
    """What an audit understands, where it differs from the keys of the config.

    The strongest weight of the regulariser in its schedule; the clip as a norm in the ball; the
    largest norm of an initialisation whose directions are random. That of a start by depth is what
    was asked, since a row of it may be longer by the rounding of the dtype.
    """
    weights = [config.lambda_reg, *(weight for _, weight in config.lambda_schedule)]
    found: dict[str, object] = {"best_by": "map", "lambda_reg": max(weights)}
    if config.model.limited_by == "max_radius":
        found["max_norm"] = math.tanh(config.radius_limit / 2)
    if not config.model.hyperbolic:
        return found
    found["curvature"] = 1.0
    if config.init == "depth-aware":
        found["init_max_radius"] = config.init_max
    elif config.init == "uniform":
        found["init_max_radius"] = norms(Space.of(initial, config.geometry))["norm_max"]
    return found


def write_tensors(path: Path, arrays: Arrays, words: Mapping[str, Any]) -> None:
    """Write arrays and words (JSON) as one safetensors file, whole or not at all.

    Arrays come by falling alignment of their types. OutputError where it cannot be written.
    """
    ordered = dict(sorted(arrays.items(), key=lambda item: -item[1].dtype.itemsize))
    with whole(path) as file:
        file.write(safetensors_header(ordered, {_MARK: json.dumps(words)}))
        for array in ordered.values():
            plain = np.atleast_1d(array)
            for start in range(0, len(plain), _CHUNK):
                part = plain[start : start + _CHUNK]
                little = part.dtype.newbyteorder("<")
                file.write(np.ascontiguousarray(part, dtype=little).data)


def read_tensors(path: Path) -> tuple[dict[str, npt.NDArray[np.generic]], dict[str, Any]]:
    """The arrays, as copies, and the words of such a file. InputError where it is none."""
    tree = read_safetensors(InputFile(str(path))).tree
    assert isinstance(tree, dict)
    words = tree.pop("metadata", {}).get(_MARK)
    if not isinstance(words, dict):
        raise InputError(f"{path}: is no checkpoint of `taxcheck train`; give the folder of a run")
    stored = {str(key): value for key, value in tree.items() if isinstance(value, Stored)}
    return {name: value.array().copy() for name, value in stored.items()}, words


def write_torch(path: Path, arrays: Arrays, words: Mapping[str, Any]) -> bool:
    """The same as a dict of tensors and words, which ``torch.load(weights_only=True)`` opens.

    A name with a dot becomes a dict in it, so that ``history.loss`` is ``["history"]["loss"]``.
    Nothing is written, and False returned, where torch is not installed.
    """
    if find_spec("torch") is None:
        return False
    import torch

    tree: dict[str, Any] = dict(words)
    for name, array in arrays.items():
        group, _, last = name.rpartition(".")
        place = tree.setdefault(group, {}) if group else tree
        place[last] = torch.from_numpy(np.array(array))
    with whole(path) as file:
        try:
            torch.save(tree, file)
        except RuntimeError:  # where a write fails, its writer says nothing of why
            raise OSError("torch could not write all of it; is the disk full?") from None
    return True
