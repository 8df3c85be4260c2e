"""The command that a job is: its arguments, the folder that it runs in, and what it leaves there.

It is the command that a person would type, in a folder that holds the uploads under their own names
and the policy as ``taxcheck.toml``. What the policy names as inputs is found here, held to the
folders that the administrator allowed, and named on the command line; the policy of the job's
folder names no inputs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, structs

from taxcheck.files import write_text
from taxcheck.model.paths import each, stated
from taxcheck.policy.model import FILES, Inputs, Policy
from taxcheck.policy.read import load_policy
from taxcheck.policy.write import dumps
from taxcheck.run.registry import cause_names, load_rules
from taxcheck.service.store.asked import Asked, Audit, Build, Repair
from taxcheck.service.store.errors import RefusedError
from taxcheck.service.store.jobs import Claim
from taxcheck.service.store.places import Place, place

if TYPE_CHECKING:
    from taxcheck.service.store.store import Store

_POLICY = "taxcheck.toml"
_POLICY_BYTES = 1 << 20
_OUTCOME_BYTES = 4 << 20
_NOT_IN_A_NAME = re.compile(r"[^\w.+-]")
_OURS = (_POLICY, "pyproject.toml", "ncbi")  # names that mean something to a command


@dataclass(frozen=True, slots=True)
class Left:
    """What a command left: a report, what a plan or a build says, and a folder that was built."""

    report: bytes
    outcome: bytes | None = None
    built: Path | None = None


@dataclass(frozen=True, slots=True)
class Errand:
    """What is run: the arguments of `taxcheck`, and the folder that it is run in."""

    arguments: tuple[str, ...]
    folder: Path
    _report: Path
    _built: Path | None = None

    def left(self) -> Left | None:
        """What the command left; None where it came to no report."""
        try:
            written = self._report.read_bytes()
        except FileNotFoundError:
            return None
        if self._built is not None:
            return Left(written, _small(self._built / "manifest.json"), self._built)
        if self._report.name == _PLAN:
            planned = msgspec.json.decode(written, type=_Planned)
            return Left(bytes(planned.before), bytes(planned.plan))
        return Left(written)


_PLAN = "plan.json"


class _Planned(Struct):
    before: msgspec.Raw
    plan: msgspec.Raw


def errand(store: Store, held: Claim, folder: Path) -> Errand:
    """Make ready what a job needs in an empty folder.

    Raises UsageError where the policy is none, RefusedError where a file is not to be read.
    """
    work, out = folder / "work", folder / "out"
    work.mkdir()
    out.mkdir()
    shown = _Shown(store, held.project, work)
    asked = held.asked
    if isinstance(asked, Build):
        more = {"out": f"../out/{held.dataset}", "json": "../out/report.json"}
        source = asked.source if asked.source == "ncbi" else shown.file("source", asked.source)
        line = (*_options(_stated(asked, "source") | more), "--", source)
        return Errand(("build", *line), work, out / "report.json", out / held.dataset)
    inputs = _inputs(shown, asked, folder / "policy")
    rest = _stated(asked, "policy", *_INPUTS)
    if isinstance(asked, Repair):
        plan: dict[str, Any] = {
            "dry_run": True,
            "out": "../out/repaired",
            "json": f"../out/{_PLAN}",
        }
        return Errand(("fix", *_options(inputs | rest | plan)), work, out / _PLAN)
    more = {"json": "../out/report.json"}
    if "embeddings" in inputs:
        more["html"] = os.devnull  # a page has the pictures of a table drawn, for the service's too
    return Errand(("run", *_options(inputs | rest | more)), work, out / "report.json")


_INPUTS = tuple(field.name for field in fields(Inputs))


def _stated(asked: Asked, *without: str) -> dict[str, Any]:
    """What a job says beyond what is usual."""
    usual = {field.name: field.default for field in structs.fields(asked)}
    values = {name: getattr(asked, name) for name in usual if name not in without}
    return {name: value for name, value in values.items() if value != usual[name]}


def _options(values: Mapping[str, Any]) -> Iterator[str]:
    """As one would type them; a value that begins with a dash is none of another option."""
    for name, value in values.items():
        option = f"--{name.replace('_', '-')}"
        yield option if value is True else f"{option}={value}"


@dataclass(slots=True)
class _Shown:
    """Files by the names under which a command gets them: uploads lie in its folder."""

    store: Store
    project: str
    folder: Path

    def file(self, role: str, named: str) -> str:
        """What to type for a file that a job names."""
        found = place(self.store, self.project, named)
        if found.upload is None:
            return found.typed(str(found.path))
        return found.typed(self.link(role, found).name)

    def link(self, role: str, found: Place) -> Path:
        name = _name(found.upload or "") or role
        if name in _OURS or (self.folder / name).is_symlink():
            name = f"{role}-{name}"
        (self.folder / name).symlink_to(found.path)
        return self.folder / name


def _name(told: str) -> str:
    """A name that is safe in a folder and on a command line."""
    last = re.split(r"[/\\]", told)[-1]
    return _NOT_IN_A_NAME.sub("_", last)[-100:].lstrip(".-")


def _inputs(shown: _Shown, asked: Any, beside: Path) -> dict[str, Any]:
    """The inputs of a job, by the policy where it is silent; the policy is left in the folder."""
    taken = [name for name in _INPUTS if name in asked.__struct_fields__]
    given = Inputs(**{name: getattr(asked, name) for name in taken})
    policy, own = _policy(shown, asked.policy, beside)
    named = replace(policy.inputs, **{name: None for name in _INPUTS if name not in taken})
    inputs = named.under(given)
    if isinstance(asked, Audit) and inputs.embeddings is None:
        raise RefusedError("an audit takes `embeddings`: give it, or name it in the policy")
    found = {name: value for name, value in asdict(inputs).items() if value is not None}
    for name in (name for name in FILES if name in found):
        paths = each(found[name])
        beside_it = any(Path(path).is_relative_to(beside) for path in paths)
        if getattr(given, name) is None and own and beside_it:
            raise RefusedError(
                f"`{name}`: [inputs] of the policy names a file beside it, and the policy was "
                f"uploaded alone; give `{name}`"
            )
        found[name] = stated([shown.file(name, path) for path in paths])
    return found


def _policy(shown: _Shown, named: str | None, beside: Path) -> tuple[Policy, bool]:
    """The policy of a job, and whether it was uploaded; a copy without inputs is in the folder."""
    if named is None:
        return Policy(), False
    found = place(shown.store, shown.project, named)
    if found.part:
        raise RefusedError(f"policy {named}: has no parts; give the file alone")
    if found.path.stat().st_size > _POLICY_BYTES:
        raise RefusedError(f"policy {named}: has more than {_POLICY_BYTES:,} bytes")
    path = found.path
    if found.upload is not None:
        beside.mkdir()
        path = beside / ("pyproject.toml" if found.upload == "pyproject.toml" else _POLICY)
        path.symlink_to(found.path)
    policy = load_policy(path, load_rules(), cause_names())
    copy = shown.folder / _POLICY
    write_text(str(copy), dumps(replace(policy, inputs=Inputs(), source=str(copy))))
    return policy, found.upload is not None


def _small(path: Path) -> bytes | None:
    """A JSON file that may be shown as a whole; None where it is too large."""
    return path.read_bytes() if path.stat().st_size <= _OUTCOME_BYTES else None
