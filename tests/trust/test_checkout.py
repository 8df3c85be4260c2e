"""Nothing of a checkout that is judged is imported or run, by whichever door taxcheck comes in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.integrations.conftest import ROOT, environment, git

pytestmark = pytest.mark.long

BIN = Path(sys.executable).parent
TRAP = "open({owned!r}, 'a').write({name!r} + '\\n')\n"
# What Python, pip, pre-commit, or taxcheck itself would import if the folder were on the path.
MODULES = (
    *("pip/__init__.py", "pip/__main__.py", "taxcheck.py", "taxcheck_rules.py", "evil.py"),
    *("sitecustomize.py", "usercustomize.py", "conftest.py", "setup.py"),
    *("json.py", "shlex.py", "numpy.py", "pandas.py", "yaml.py", "torch.py", "tqdm.py"),
)
ENTRY_POINTS = """[taxcheck.rules]
evil = evil
[taxcheck.renderers]
evil = evil
[taxcheck.causes]
evil = evil
[taxcheck.readers]
evil = evil
"""
# Node i of this tree has the children 2 i + 1 and 2 i + 2.
_PAIRS = [(((d + 1) >> k) - 1, d, k) for d in range(15) for k in range(1, (d + 1).bit_length())]
DATA = {
    "mapping.tsv": "taxid\tidx\n" + "".join(f"{10 + i}\t{i}\n" for i in range(15)),
    "pairs.tsv": "ancestor_idx\tdescendant_idx\tdepth_diff\n"
    + "".join(f"{a}\t{d}\t{k}\n" for a, d, k in _PAIRS),
    "taxcheck.toml": '[inputs]\nmapping = "mapping.tsv"\npairs = "pairs.tsv"\n',
}
RUN = ("run", "--json", "report.json")
TRAIN = (
    *("train", "--mapping", "mapping.tsv", "--pairs", "pairs.tsv", "--out", "run"),
    *("--epochs", "1", "--dim", "2", "--workers", "1", "--quiet"),
)


@pytest.fixture
def owned(tmp_path: Path) -> Path:
    """Where each trap that is sprung writes its name."""
    return tmp_path / "owned"


@pytest.fixture
def checkout(tmp_path: Path, owned: Path) -> Path:
    """Sound data and its policy, among traps."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name, text in DATA.items():
        (folder / name).write_text(text)
    for name in MODULES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(TRAP.format(owned=str(owned), name=name))
    plugin = folder / "evil-1.dist-info"
    plugin.mkdir()
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1\n")
    (plugin / "entry_points.txt").write_text(ENTRY_POINTS)
    # numba unpickles what it finds in its cache
    (folder / ".numba_config.yaml").write_text(f"cache_dir: {folder / 'cache'}\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    return folder


def run(folder: Path, *command: object, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=900,
    )


def sprung(owned: Path) -> set[str]:
    return set(owned.read_text().split()) if owned.exists() else set()


def test_the_traps_work(checkout, owned):
    """Else nothing below would mean anything."""
    run(checkout, sys.executable, "-m", "pip", "--version")
    assert {"pip/__init__.py", "pip/__main__.py"} <= sprung(owned)
    run(checkout, sys.executable, "-c", "import taxcheck, json, numpy")
    assert {"taxcheck.py", "json.py", "numpy.py"} <= sprung(owned)
    run(checkout, BIN / "taxcheck", *RUN, PYTHONPATH=".")
    assert "sitecustomize.py" in sprung(owned)
    everything = [f"import {Path(name).stem}" for name in MODULES if "/" not in name]
    run(checkout, sys.executable, "-c", "\n".join(everything))
    assert sprung(owned) == set(MODULES)


def test_a_plugin_would_be_found(checkout, owned):
    for trap in (*MODULES[:4], *MODULES[5:]):
        (checkout / trap).unlink()
    done = run(checkout, BIN / "taxcheck", "rules", PYTHONPATH=str(checkout))
    assert sprung(owned) == {"evil.py"}, done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    [(BIN / "taxcheck",), (sys.executable, "-I", "-m", "taxcheck")],
    ids=["taxcheck", "-I -m taxcheck"],
)
def test_the_command(checkout, owned, command):
    done = run(checkout, *command, *RUN)
    assert (done.returncode, done.stderr) == (0, "")
    assert sprung(owned) == set()


def test_as_a_module_no_plugin_is_taken_from_where_one_is(checkout, owned):
    """`-m` has Python itself look there first; whatever comes after that does not."""
    (checkout / "taxcheck.py").unlink()
    for name in ("json.py", "shlex.py"):
        (checkout / name).unlink()
    done = run(checkout, sys.executable, "-m", "taxcheck", *RUN)
    assert done.returncode == 0, done.stderr
    assert sprung(owned) == set()


@pytest.mark.parametrize("path", ["", "."], ids=["no path", "a path that leads there"])
def test_the_action(checkout, owned, tmp_path, path):
    temp = tmp_path / "temp"
    temp.mkdir()
    told = {"RUNNER_TEMP": str(temp), "GITHUB_OUTPUT": str(temp / "output")}
    told |= {"INPUT_ARGS": "--seed 7", "PYTHONPATH": path}
    done = run(checkout, "bash", ROOT / "action" / "run.sh", **told)
    assert done.returncode == 0, done.stderr
    assert "verdict=pass" in (temp / "output").read_text()
    assert sprung(owned) == set()


@pytest.mark.parametrize("path", ["", "."], ids=["no path", "a path that leads there"])
def test_what_the_action_installs_with(checkout, owned, tmp_path, path):
    """A pip that is asked for what nobody has, and offered no index, says so."""
    told = {"RUNNER_TEMP": str(tmp_path), "PIP_NO_INDEX": "1", "INPUT_VERSION": "999.9"}
    told |= {"PYTHONPATH": path, "GITHUB_ACTION_PATH": str(ROOT)}
    done = run(checkout, "bash", ROOT / "action" / "install.sh", **told)
    assert done.returncode == 1
    assert "taxcheck==999.9" in done.stderr
    assert sprung(owned) == set()


def test_the_hook(checkout, owned, tmp_path):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    local = {"repo": "local", "hooks": [hook | {"language": "system"}]}
    (checkout / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [local]}))
    git(checkout, "add", "--all")
    done = run(checkout, BIN / "pre-commit", "run", PRE_COMMIT_HOME=str(tmp_path / "home"))
    assert "Passed" in done.stdout, done.stdout + done.stderr
    assert sprung(owned) == set()


@pytest.mark.slow
def test_training(checkout, owned):
    done = run(checkout, BIN / "taxcheck", *TRAIN)
    assert done.returncode in (0, 1), done.stderr  # one epoch teaches little
    assert sprung(owned) == set()
    assert not (checkout / "cache").exists()


@pytest.mark.slow
def test_training_by_torchrun(checkout, owned):
    """As docs/training.md has it."""
    pytest.importorskip("torch")
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    assert "\ntorchrun --nproc-per-node 2 --no-python taxcheck train " in page
    assert "-m taxcheck" not in page
    launch = ("torchrun", "--standalone", "--nproc-per-node", 2, "--no-python", "taxcheck")
    done = run(checkout, *launch, *TRAIN, "--backend", "torch", GLOO_SOCKET_IFNAME="lo")
    assert (checkout / "run" / "run.json").exists(), done.stderr
    assert sprung(owned) == set()
