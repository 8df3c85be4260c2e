"""The checkout as it would be packaged: a clean copy of it, and what is built from that."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# Left behind by tools: neither committed nor looked at by a build of a fresh clone.
LEFTOVERS = {"build", "dist", "demo", "site"}

PACKAGES = {"taxcheck": "taxcheck", "taxcheck_rules": "rules", "taxcheck_reports": "reports"}


def on_disk(root: Path = ROOT) -> dict[str, Path]:
    """Every file of our packages, by the name that it has once it is installed."""
    return {
        f"{package}/{path.relative_to(root / folder).as_posix()}": path
        for package, folder in PACKAGES.items()
        for path in (root / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def clean_copy(folder: Path) -> Path:
    """A copy of the checkout without what tools leave in it, such as lists of earlier builds."""

    def left_out(where: str, names: list[str]) -> set[str]:
        top = LEFTOVERS if Path(where) == ROOT else set()
        hidden = {n for n in names if n.startswith(".") or n.endswith(".egg-info")}
        return hidden | top.intersection(names) | {"__pycache__"}

    return Path(shutil.copytree(ROOT, folder, ignore=left_out))


def build(source: Path, out: Path, *what: str) -> None:
    """Build with the backend of this environment; without ``what``, an sdist and its wheel."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), *what]
    done = subprocess.run([*command, str(source)], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr


def members(archive: Path) -> dict[str, bytes]:
    """The files of a wheel, or of an sdist below its folder."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(archive) as sdist:
        return {
            one.name.partition("/")[2]: found.read()
            for one in sdist.getmembers()
            if (found := sdist.extractfile(one)) is not None
        }
