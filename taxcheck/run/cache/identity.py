"""What a result depends on: what is asked, the bytes of every input, and all that computes."""

from __future__ import annotations

import datetime as dt
import glob
import json
import os
import platform
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError
from importlib.util import find_spec
from pathlib import Path

from blake3 import blake3

from taxcheck.model.clock import created
from taxcheck.model.installed import GROUPS, plugins, version
from taxcheck.model.paths import Paths, called, each, is_address, is_file, split_part
from taxcheck.model.report import Report
from taxcheck.run.request import Request
from taxcheck.sources.files import InputFile
from taxcheck.sources.listing import list_files
from taxcheck.sources.many_files import at_once, together

FORMAT = 2  # of an entry; another one is another key
COMPUTING = ("numpy", "pandas", "pandera", "pyarrow", "scipy", "h5py")
_TABLES = {"mapping": "mapping", "pairs": "pairs", "held_out": "held-out"}
_CHECKPOINTS = {"embeddings": "checkpoint", "initial": "initial table"}
# What is asked, beside the inputs, that an equal report is equal in.
_OPTIONS = (
    "mapping_columns",
    "pair_columns",
    "key",
    "geometry",
    "curvature",
    "labels",
    "seed",
    "drawn",
    "memory",
)

Standing = tuple[int, int, int]  # bytes, time and inode of a file


class NotKeptError(Exception):
    """A result that a folder cannot keep; the text says why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The key of a run, and of which bytes it speaks."""

    key: str  # hexadecimal
    fingerprints: Mapping[str, str]  # by the role of an input in a report
    files: Mapping[Path, Standing | None]  # as they were before they were hashed

    def describes(self, report: Report) -> bool:
        """Whether a report is of these very bytes: no file changed while it was made."""
        read = {one.role: one.fingerprint for one in report.inputs}
        return all(read.get(role) == one for role, one in self.fingerprints.items()) and all(
            _standing(path) == standing for path, standing in self.files.items()
        )


def identify(request: Request) -> Identity:
    """The identity of a run; what its rules and its inputs are is looked up now.

    Raises NotKeptError where the run leaves more than a report, or reads what cannot be read
    twice. Files that cannot be read at all are for the run to complain of: InputError, OSError.
    """
    _refuse(request)
    found = list(_files(request))
    files = {path: _standing(path) for _, _, path in found}
    opened = [(role, name, InputFile(str(path))) for role, name, path in found]
    digests = at_once(lambda one: one[2].fingerprint(), opened)
    read = [(role, name, digest) for (role, name, _), digest in zip(opened, digests, strict=True)]
    read += _together(opened, digests)
    day, _ = created()
    policy = asdict(request.policy)
    del policy["inputs"], policy["service"]  # what is named is in the request; the other is no part
    content = {
        "format": FORMAT,
        "inputs": read,
        "paths": [getattr(request, name) for name in ("taxonomy", *_TABLES, *_CHECKPOINTS)],
        "version": _said_version(request.taxonomy),
        "options": [getattr(request, name) for name in _OPTIONS],
        "fail_on": request.fail_on,
        "title": request.title,
        "policy": policy,
        "expired": [dt.date.fromisoformat(day[:10]) > w.expires for w in request.policy.waivers],
        "reproducible": os.environ.get("SOURCE_DATE_EPOCH"),
        "computed by": computed_by(),
    }
    text = json.dumps(content, sort_keys=True, default=str)
    tables = (*_TABLES.values(), *_CHECKPOINTS.values())
    return Identity(
        blake3(text.encode("utf-8", "surrogatepass")).hexdigest(),
        {role: fingerprint for role, name, fingerprint in read if role in tables and not name},
        files,
    )


def computed_by() -> dict[str, object]:
    """Versions of all that computes; of what judges, the code itself.

    A version alone would not do for an installation that is worked on.
    """
    found = sorted(
        (point.group, point.name, point.value, _version_of(point), _code(point.module))
        for group in GROUPS
        for point in plugins(group)
    )
    return {
        "taxcheck": [version("taxcheck"), _code("taxcheck")],
        "plugins": found,
        "packages": {name: _version(name) for name in COMPUTING},
        "python": [platform.python_version(), platform.system(), platform.machine()],
    }


_NOT_KEPT = {  # fields of a request, and the run that they make
    "failures": "a run that writes its failing rows",
    "projected": "a run that draws a projection",
    "series": "a run over several tables",
    "known": "a run with pairs that are known beside its own",
}


def _refuse(request: Request) -> None:
    for name, run in _NOT_KEPT.items():
        if getattr(request, name):
            raise NotKeptError(f"{run} is not kept")
    if "-" in (request.mapping, request.pairs, request.held_out):
        raise NotKeptError("what comes on standard input is not kept")


def _together(
    opened: Sequence[tuple[str, str, InputFile]], digests: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Of a table of several files, the fingerprint of all."""
    for role in _TABLES.values():
        several = [
            (name, file.bytes, digest)
            for (one, name, file), digest in zip(opened, digests, strict=True)
            if one == role and name
        ]
        if several:
            yield role, "", together(several)


def _of_table(role: str, given: Paths) -> Iterator[tuple[str, str, Path]]:
    if any(map(is_address, each(given))):
        raise NotKeptError(f"{called(given)} is an address, so its result is not kept")
    listing = list_files(given)
    for one in listing.files:
        path = Path(split_part(one.path)[0])
        if not stat.S_ISREG(path.stat().st_mode):
            raise NotKeptError(f"{one.path} is no plain file, so its result is not kept")
        yield role, "" if listing.single else one.name, path


def _files(request: Request) -> Iterator[tuple[str, str, Path]]:
    """(role in a report, name of what is beside the file itself, path) of every file."""
    for name, role in (_TABLES | _CHECKPOINTS).items():
        given = getattr(request, name)
        if given is None:
            continue
        if name in _TABLES:
            yield from _of_table(role, given)
            continue
        path = Path(given)
        if not stat.S_ISREG(path.stat().st_mode):
            raise NotKeptError(f"{given} is no plain file, so its result is not kept")
        yield role, "", path
        if name in _CHECKPOINTS:  # gensim puts large arrays beside the file
            for beside in sorted(path.parent.glob(f"{glob.escape(path.name)}.*.np[yz]")):
                yield role, beside.name, beside
    if request.taxonomy is not None:
        from taxcheck.sources.taxonomies.dump_file import FILES

        if not is_file(Path(request.taxonomy) / "nodes.dmp"):
            raise NotKeptError(
                f"{request.taxonomy} is no folder of a dump, so its result is not kept"
            )
        for name in FILES:
            path = Path(request.taxonomy) / name
            if path.exists() and path.stat().st_size:
                yield "taxonomy", name, path


def _said_version(taxonomy: str | None) -> str | None:
    """What a file of a dump says of its version, which its report tells."""
    if taxonomy is None:
        return None
    from taxcheck.sources.taxonomies.dump_version import stated_version

    return stated_version(Path(taxonomy))


def _standing(path: Path) -> Standing | None:
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_size, now.st_mtime_ns, now.st_ino


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _version_of(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else ""


def _code(module: str) -> str:
    """A hash of the Python files of the package that a module is in, imported or not."""
    found, hasher = find_spec(module.partition(".")[0]), blake3()
    folders = [Path(folder) for folder in (found and found.submodule_search_locations) or ()]
    paths = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    if not folders and found is not None and found.origin is not None:
        paths = [Path(found.origin)]
    for path in paths:
        hasher.update(path.name.encode("utf-8", "surrogatepass") + b"\0")
        hasher.update(path.read_bytes())
    return hasher.hexdigest()
