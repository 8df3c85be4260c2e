"""run.json: what a run was asked, how far it came, and what gate and audit said."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import ValidationError, convert

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.presets import find
from taxcheck.engine.run_folder import RunFolder
from taxcheck.engine.settings import apply, changed, check, plain
from taxcheck.files import whole_file, write_text
from taxcheck.model.clock import Clock, created
from taxcheck.model.errors import OutputError, UsageError
from taxcheck.model.finding import Outcome
from taxcheck.model.report import InputSummary, Report
from taxcheck.policy.model import Inputs, Policy
from taxcheck.policy.read import load_policy
from taxcheck.run.registry import cause_names, load_rules
from taxcheck.run.request import Request

if TYPE_CHECKING:
    from taxcheck.engine.progress import Trained

_PACKAGES = ("blake3", "numba", "numpy", "pyarrow", "safetensors", "scipy", "taxcheck", "torch")


class RunRecord:
    """Written whole after every stage, so that it tells how far a lost run came."""

    def __init__(
        self, folder: RunFolder, request: Request, config: TrainConfig, preset: str
    ) -> None:
        self._path, self._clock, self.preset = str(folder.record), Clock(), preset
        self._found = folder.record.read_bytes() if folder.record.is_file() else b""
        date, self._timed = created()
        self._said: dict[str, Any] = {
            "state": "gate",
            "began": date,
            "command": request.command,
            "preset": preset,
            "forced": False,
            "seed": config.seed,
            "config": plain(config),
            "beyond_preset": changed(config, find(preset).config),
            "versions": {"python": platform.python_version()} | _versions(),
            "policy": request.policy.source,
            "title": request.title,
            "given": {k: v for k, v in asdict(request.inputs).items() if v is not None},
        }
        self.keep()

    def keep(self, **said: object) -> None:
        """Add what is new, and write all of it."""
        self._said |= said
        write_text(self._path, json.dumps(self._said, indent=2) + "\n")

    def put_back(self) -> None:
        """Have the file hold again the bytes that were found in it."""
        with whole_file(Path(self._path)) as partial:
            partial.write_bytes(self._found)

    def judged(self, stage: str, report: Report) -> None:
        """Add what a report says first, and the files as they were given."""
        found = {
            outcome.value: [r.id for r in report.results if r.outcome is outcome]
            for outcome in (Outcome.ERROR, Outcome.FAIL, Outcome.WARN)
        }
        said = {
            "verdict": report.verdict.value,
            "headline": report.headline,
            "exit_code": report.exit_code,
            "rules": found,
        }
        if stage == "gate":
            self._said["inputs"] = [
                {
                    "role": given.role,
                    "file": given.path,
                    "bytes": given.bytes,
                    "rows": given.rows,
                    "fingerprint": given.fingerprint,
                }
                for given in report.inputs
            ]
        self.keep(**{stage: said})

    def end(self, state: str, **said: object) -> None:
        """Say how it ended: "refused", "stopped" or "finished"."""
        seconds = {"seconds": round(self._clock.seconds()["total"], 3)} if self._timed else {}
        self.keep(state=state, ended=created()[0], **seconds, **said)


def recorded_config(out: str | Path, keys: Mapping[str, object] | None = None) -> TrainConfig:
    """The config of the run in a folder, with ``keys`` in the place of its own; to resume it.

    UsageError where there is no run, or a key cannot be.
    """
    folder = RunFolder(Path(out))
    config = apply(TrainConfig(), read_record(folder).get("config", {}), str(folder.record))
    return check(apply(config, keys or {}, "options"))


def recorded_request(out: str | Path) -> Request | None:
    """What the run in a folder was given, under its policy as it reads now; to resume it.

    None where an older record does not tell. UsageError where there is no run, or no such policy.
    """
    said = read_record(RunFolder(Path(out)))
    if "given" not in said:
        return None
    source = said.get("policy")
    policy = load_policy(Path(source), load_rules(), cause_names()) if source else Policy()
    given = convert(said["given"], Inputs)
    return Request(**asdict(given), policy=policy, title=said.get("title"))


def refuse_others(
    before: Mapping[str, Any], inputs: Iterable[InputSummary], folder: RunFolder
) -> None:
    """UsageError where an input is another than the record ``before`` tells, by its fingerprint.

    So nothing that a run has left is overwritten by a report on other data.
    """
    began = before.get("inputs", ()) if folder.checkpoint.is_file() else ()
    then = {given["role"]: given["fingerprint"] for given in began}
    for given in inputs:
        if then.get(given.role, given.fingerprint) != given.fingerprint:
            raise UsageError(
                f"{folder.path}: was begun with other {given.role} than {given.path}; give the "
                "same files, or start a new run in another folder"
            )


def summary_of(trained: Trained, folder: RunFolder) -> dict[str, object]:
    """What the record says of the training."""
    last = trained.history[-1] if trained.history else {}
    return {
        "epochs": trained.epoch,
        "seconds": round(trained.seconds, 3),
        "stopped_early": trained.stopped_early,
        "best_map": trained.best_map,
        "best_epoch": trained.best_epoch,
        "last": {name: value for name, value in last.items() if value == value},
        "table": folder.best.name,
    }


def read_record(folder: RunFolder) -> dict[str, Any]:
    """What the run.json of a folder says; UsageError where there is none, or it says nothing."""
    try:
        said = json.loads(folder.record.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UsageError(
            f"{folder.path}: holds no run to continue; start one without `resume`"
        ) from None
    except OSError as error:
        raise OutputError(f"{folder.record}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not _whole(said):
        raise UsageError(f"{folder.record}: is no record of a run; start a new one elsewhere")
    return said


def _whole(said: Mapping[str, object]) -> bool:
    inputs = said.get("inputs", [])
    try:
        convert(said.get("given", {}), Inputs)
    except ValidationError:
        return False
    return (
        isinstance(said.get("config"), dict)
        and isinstance(said.get("preset", ""), str)
        and isinstance(said.get("policy"), str | None)
        and isinstance(said.get("title"), str | None)
        and isinstance(inputs, list)
        and all(isinstance(one, dict) and {"role", "fingerprint"} <= one.keys() for one in inputs)
        and all(isinstance(one["role"], str) for one in inputs)
    )


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
