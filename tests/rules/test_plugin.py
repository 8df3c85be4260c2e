"""A rule that a plugin adds in one file is seen wherever one of ours is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = '''
from taxcheck.commands.selftest.cases import Cases, Corrupted
from taxcheck.model.finding import Finding
from taxcheck.model.rule import Repair, rule

CASES = Cases()


@rule("HOUSE001", "warn", about="pairs", place=("mapping",), pictures=("pairs_per_node",),
      repair=(Repair.SELF_PAIRS,))
def own_ancestor(pairs):
    """A node is called its own ancestor.

    Why it matters:
    Our sampler draws it twice.

    How to fix:
    Leave it out.

    Known exceptions:
    None.

    References:
    - The laboratory's handbook, chapter 3.
    """
    bad = pairs.self_pairs
    return Finding(
        found=bad.count > 0,
        message=f"{bad.count} of {bad.total} pairs name one node twice",
        count=bad.count,
        total=bad.total,
        observed={"rows": bad.count},
        impact="It is drawn twice.",
        fix="Leave these pairs out.",
    )


@CASES.bad("HOUSE001", "warn", 1, "the wolf is paired with itself")
def _(folder):
    folder.pairs.append((7, 7, 0, 3, 3))


@CASES.corruption("HOUSE001", "PAIR005")
def wolf_with_itself(frame, _):
    row = frame.pairs.head(1).assign(descendant_idx=0, depth_diff=0, descendant_depth=0)
    return Corrupted(frame.appended(row), {"HOUSE001": ("warn", 1), "PAIR005": ("fail", 1)})
'''
# Everything in one process: a plugin is found when one starts.
SCRIPT = """
import json
import sys
from pathlib import Path

from click.testing import CliRunner

from docs.generate import rules as pages
from taxcheck.cli import cli
from taxcheck.commands.fix.repair import fix
from taxcheck.commands.selftest.cases import load_cases
from taxcheck.commands.selftest.planting import plant
from taxcheck.model.report import RenderOptions
from taxcheck.policy.read import load_policy
from taxcheck.run.check import check
from taxcheck.run.registry import find_rule, load_renderers, load_rules
from taxcheck.run.request import Request

folder = Path(sys.argv[1])


def typed(*words):
    return CliRunner().invoke(cli, words, catch_exceptions=False).output


said = {"rules": typed("rules"), "explain": typed("explain", "own_ancestor")}
said["example"] = typed("explain", "HOUSE001", "--example", str(folder))
data = {"mapping": str(folder / "bad/mapping.tsv"), "pairs": str(folder / "bad/pairs.tsv")}
report = check(Request(**data, drawn=True))
said |= {name: render(report, RenderOptions()) for name, render in load_renderers().items()}
policy = folder / "taxcheck.toml"
policy.write_text(
    '[[waiver]]\\nrule = "own_ancestor"\\nowner = "us"\\nreason = "known"\\n'
    "expires = 2999-01-31\\nmax_count = 1\\n"
)
waived = check(Request(**data, policy=load_policy(policy, load_rules())))
said["waived"] = next(r.outcome for r in waived.results if r.id == "HOUSE001")
said["page"] = pages.page(find_rule("HOUSE001"), pages.example("HOUSE001")[0])
said["steps"] = [step.rules for step in fix(Request(**data), folder / "fixed").plan.steps]
cases = load_cases()
planted = plant(lambda name: cases.bases[name](),
                corruptions=[cases.corruptions["wolf_with_itself"]])
said["planted"] = [(one.name, one.state) for one in planted]
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    site = tmp_path_factory.mktemp("site")
    meta = site / "house-1.0.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: house\nVersion: 1.0\n")
    (meta / "entry_points.txt").write_text("[taxcheck.rules]\nhouse = house:own_ancestor\n")
    (site / "house.py").write_text(PLUGIN)
    path = os.pathsep.join([str(site), str(Path.cwd())])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path_factory.mktemp("case"))],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "output",
    [
        "terminal",
        "html",
        "json",
        "sarif",
        "junit",
        "github",
        "markdown",
        "rules",
        "explain",
        "page",
    ],
)
def test_every_output_has_it(said, output):
    assert "HOUSE001" in said[output]
    assert "own_ancestor" in said[output]


def test_its_picture_stands_beside_it(said):
    """Where it is told first; below it is only referred to."""
    assert re.findall(r'<figure id="([^"]+)-pairs-per-node"', said["html"])[0] == "rule-HOUSE001"


def test_it_points_to_its_own_place(said):
    (run,) = json.loads(said["sarif"])["runs"]
    (result,) = (r for r in run["results"] if r["ruleId"] == "HOUSE001")
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"].endswith("mapping.tsv")
    (line,) = (line for line in said["github"].splitlines() if "HOUSE001" in line)
    assert line.startswith("::warning ")


def test_its_example_and_page_are_made_of_its_case(said):
    assert "the wolf is paired with itself" in said["example"]
    assert "the wolf is paired with itself" in said["page"]
    assert "1 of 35 pairs name one node twice" in said["page"]


def test_a_repair_answers_it(said):
    assert said["steps"] == [["HOUSE001", "PAIR005"]]


def test_a_waiver_names_it(said):
    assert said["waived"] == "waived"


def test_the_self_test_plants_its_corruption(said):
    assert said["planted"] == [["wolf_with_itself", "found"]]
