"""What the documentation has users import: typed as they see it, and told in docstrings."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

import taxcheck
from docs.generate.python import PUBLIC
from tests.docs.session import blocks
from tests.packaging.packaged import ROOT, build, clean_copy

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
REFERENCE = [path for _, _, paths in PUBLIC.values() for path in paths]


def documented() -> list[str]:
    """The Python that pages show of taxcheck."""
    python = [one.text for page in PAGES for one in blocks(page) if one.language == "python"]
    return [text for text in python if re.search(r"^ *(from|import) taxcheck\b", text, re.M)]


def imported() -> Iterator[str]:
    """What those pages import."""
    for text in documented():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)


NAMED = sorted({*REFERENCE, *(path for path in imported() if path.startswith("taxcheck."))})


def found(path: str) -> object:
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)


def silent(path: str, thing: object) -> Iterator[str]:
    """What has no docstring of its own: a thing, what its module defines, its methods."""
    if not (thing.__doc__ or "").strip():
        yield path
    if isinstance(thing, ModuleType):
        for name, one in vars(thing).items():
            defined = getattr(one, "__module__", None) == thing.__name__
            if defined and callable(one) and not name.startswith("_"):
                yield from silent(f"{path}.{name}", one)
    if inspect.isclass(thing):
        for name, one in vars(thing).items():
            if not name.startswith("_") and (inspect.isfunction(one) or isinstance(one, property)):
                yield from silent(f"{path}.{name}", one)


def test_public_names_are_those_that_type_checkers_see() -> None:
    tree = ast.parse((ROOT / "taxcheck/__init__.py").read_text(encoding="utf-8"))
    seen = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("taxcheck.")
        for alias in node.names
    }
    loaded = {
        f"taxcheck.{module}.{name}"
        for module, names in taxcheck._WHERE.items()
        for name in names.split()
    }
    assert loaded == seen
    assert sorted(path.rpartition(".")[2] for path in seen) == sorted(taxcheck.__all__)
    for path in seen:
        module, _, name = path.rpartition(".")
        assert getattr(taxcheck, name) is getattr(importlib.import_module(module), name)
    with pytest.raises(AttributeError, match="no attribute 'chekc'"):
        _ = taxcheck.chekc


def test_importing_taxcheck_loads_nothing() -> None:
    script = (
        "import sys; before = set(sys.modules); import taxcheck\n"
        "print(*(name for name in set(sys.modules) - before\n"
        "        if name.partition('.')[0] not in sys.stdlib_module_names))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["taxcheck"]


@pytest.mark.parametrize("path", NAMED)
def test_what_is_named_has_its_docstring(path):
    assert list(silent(path, found(path))) == []


def test_a_missing_docstring_is_seen():
    class Told:
        """This."""

        def method(self): ...
        def _own(self): ...

    assert list(silent("Told", Told)) == ["Told.method"]


GATE = """
from taxcheck import Request, check

report = check(Request(mapping="mapping.tsv", pairs="pairs.parquet", seed=1))
raise SystemExit(report.exit_code or report.headline)
"""

AUDIT = """
from pathlib import Path

import taxcheck
from taxcheck import Outcome, RenderOptions, Request, load_policy, load_renderers, load_rules
from taxcheck.files import write_text

policy = load_policy(Path("taxcheck.toml"), load_rules())
with taxcheck.gather(
    Request("mapping.tsv", "pairs.parquet", embeddings="best.pt", policy=policy)
) as data:
    report = taxcheck.judge(data)
    print(taxcheck.judge(data, taxcheck.Policy()).verdict)
for result in report.results:
    if result.outcome is Outcome.FAIL and result.judged:
        print(result.id, result.message, result.count, result.share)
for cause, consequences in report.by_cause:
    print(cause.document.why, [one.id for one in consequences])
write_text("audit.html", load_renderers()["html"](report, RenderOptions(width=80)))
"""

TRAIN = """
from pathlib import Path

from taxcheck import Report, Request, TaxcheckError, TrainConfig, Watcher, train


class Loud(Watcher):
    def judged(self, stage: str, report: Report, page: Path) -> None:
        print(stage, report.verdict.value, page)


try:
    config = TrainConfig(dim=5, epochs=20, geometry="lorentz", workers=1)
    ended = train(Request("mapping.tsv", "pairs.parquet"), "run", config, watcher=Loud())
    print(ended.exit_code + 0, ended.headline.upper())
except TaxcheckError as error:
    raise SystemExit(error.exit_code) from error
"""

GUARD = """
import numpy as np

import taxcheck
from taxcheck import UnsoundError

guard = taxcheck.Guard("mapping.tsv", "pairs.parquet", geometry="ball", every=10)
table = np.zeros((3, 2))
print(guard.before().headline)
for epoch in range(3):
    seen = guard.after_epoch(epoch, table)
    if seen is not None:
        print(seen.exit_code)
try:
    guard.finish(table, html="audit.html")
except UnsoundError as error:
    print(error.report.headline)
"""

TESTS = """
from collections.abc import Callable
from pathlib import Path

import pytest

from taxcheck import Report, assert_sound


@pytest.mark.taxcheck(policy="data/taxcheck.toml", fail_on="warn")
def test_by_its_policy() -> None: ...


def test_what_was_observed(taxcheck_run: Callable[..., Report]) -> None:
    report = taxcheck_run(policy="data/taxcheck.toml")
    tree = report.statistics.tree
    assert tree is not None
    assert tree.max_depth < 40


def test_the_data() -> None:
    report = assert_sound(Path("mapping.tsv"), "pairs.parquet", taxonomy="taxdump")
    assert report.count(report.verdict) > 0
"""

USES = {"gate": GATE, "audit": AUDIT, "train": TRAIN, "guard": GUARD, "tests": TESTS}

# What pages leave to the reader: a model and a loop of their own.
PLACEHOLDERS = """
from typing import Any

epochs: int
model: Any
def train_one(model: Any) -> None: ...
"""

# Each line that is wrong says which error mypy has to report there.
WRONG = """
from taxcheck import Finding, Guard, Request, TrainConfig, assert_sound, check, rule
from taxcheck import unsound  # attr-defined
from taxcheck.statistics.values import MappingStatistics

check("mapping.tsv")  # arg-type
check(Request(mapping=3))  # arg-type
check(Request(mappings="mapping.tsv"))  # call-arg
print(check(Request("mapping.tsv")).exit_kode)  # attr-defined
TrainConfig(geometry="sphere")  # arg-type
Guard(every="10")  # arg-type
assert_sound(1)  # arg-type


@rule("HOUSE001", 3, about="mapping")  # arg-type
def count(mapping: MappingStatistics) -> Finding:
    mapping.nodes = 1  # misc
    return Finding("yes", message=mapping.nodes)  # arg-type arg-type


@rule("HOUSE002", "warn", about="mapping")  # arg-type
def says(mapping: MappingStatistics) -> str:
    return mapping.nodez  # attr-defined no-any-return
"""


# None of their types is in what users import; their modules are most of what mypy would read.
SETTINGS = """
[mypy]
strict = True
[mypy-torch.*,scipy.*,numba.*]
follow_imports = skip
"""


@pytest.fixture(scope="session")
def checked(tmp_path_factory) -> list[str]:
    """What mypy says of all scripts, in an environment that has taxcheck only by its wheel."""
    folder = tmp_path_factory.mktemp("typed")
    build(clean_copy(folder / "tree"), folder / "dist", "--wheel")
    venv, scripts = folder / "venv", folder / "scripts"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin" / "python"
    (wheel,) = (folder / "dist").glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True, timeout=900)
    (site,) = venv.glob("lib/*/site-packages")
    assert (site / "taxcheck" / "py.typed").is_file()
    # What taxcheck depends on is taken from here; this environment's own taxcheck is not found so.
    others = [path for path in sys.path if path.endswith("site-packages")]
    (site / "others.pth").write_text("\n".join(others))
    scripts.mkdir()
    for name, text in {"wrong": WRONG, **USES}.items():
        (scripts / f"use_{name}.py").write_text(text)
    for number, text in enumerate(documented()):
        (scripts / f"page_{number}.py").write_text(PLACEHOLDERS + text)
    names = sorted(path.name for path in scripts.iterdir())
    (folder / "mypy.ini").write_text(SETTINGS)
    options = ["--no-error-summary", "--show-error-codes", "--config-file", folder / "mypy.ini"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--python-executable", python, *options, *names],
        cwd=scripts,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.long
def test_users_of_the_installed_package_pass_mypy(checked):
    assert [line for line in checked if not line.startswith("use_wrong.py:")] == []


@pytest.mark.slow
@pytest.mark.long
def test_wrong_uses_are_refused(checked):
    expected = [
        (number, code)
        for number, line in enumerate(WRONG.splitlines(), 1)
        if "  # " in line
        for code in line.partition("  # ")[2].split()
    ]
    told = re.findall(r"^use_wrong\.py:(\d+): error: .*\[([a-z-]+)\]$", "\n".join(checked), re.M)
    assert sorted((int(number), code) for number, code in told) == sorted(expected)
