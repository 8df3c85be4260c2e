"""Two reports of the gate beside each other, as files, pages and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from msgspec.structs import replace

from taxcheck.commands.compare.compare import (
    Asked,
    OtherSchemaError,
    beside,
    compare,
    read_report,
    unlike,
)
from taxcheck.commands.compare.comparison import (
    Comparison,
    Direction,
    Drift,
    Listed,
    comparison_schema,
)
from taxcheck.model.change import Change
from taxcheck.model.errors import InputError
from taxcheck.model.report import RenderOptions
from taxcheck.model.written import report_to_json
from taxcheck.run.check import check
from taxcheck.run.registry import load_comparison_renderers, load_renderers
from taxcheck.run.request import Request
from tests.case_folders import case_folder
from tests.commands.compare.written import report, rule


def written(folder: Path, rule: str, kind: str) -> str:
    """The JSON report of one fixture, with its table where it has one."""
    fixture = case_folder(rule, kind)
    table = fixture / "checkpoint.safetensors"
    request = Request(
        mapping=str(fixture / "mapping.tsv"),
        pairs=str(fixture / "pairs.tsv"),
        embeddings=str(table) if table.exists() else None,
        drawn=False,
        title=f"{rule} {kind}",
    )
    path = folder / f"{kind}.json"
    path.write_text(load_renderers()["json"](check(request), RenderOptions()))
    return str(path)


@pytest.fixture(scope="module")
def repaired(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """The incident in small, and the same once it was mended."""
    folder = tmp_path_factory.mktemp("incident")
    sides = [written(folder, "PAIR014", kind) for kind in ("bad", "ok")]
    drift = compare(Asked(*sides, data=True)).drift
    command = "taxcheck compare a.json b.json"
    return beside(*map(read_report, sides), ("a.json", "b.json"), command=command, drift=drift)


@pytest.fixture(scope="module")
def retrained(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("table")
    return compare(Asked(*(written(folder, "EMB004", kind) for kind in ("bad", "ok"))))


def test_every_finding_of_the_incident_is_fixed(repaired: Comparison):
    found = {r.id for r in repaired.rules if r.before and r.before.outcome in ("fail", "warn")}
    assert found == {"PAIR003", "PAIR004", "PAIR014"}
    assert {r.id for r in repaired.of(Change.FIXED)} == found
    assert (repaired.direction, repaired.exit_code) == (Direction.BETTER, 0)
    assert repaired.headline.startswith("Findings: 3 fixed.")


def test_the_other_way_round_every_finding_is_new(tmp_path):
    after, before = (read_report(written(tmp_path, "PAIR014", kind)) for kind in ("bad", "ok"))
    comparison = beside(before, after, ("b.json", "a.json"))
    assert {r.id for r in comparison.of(Change.NEW)} == {"PAIR003", "PAIR004", "PAIR014"}
    assert (comparison.direction, comparison.exit_code) == (Direction.WORSE, 1)


def test_of_different_datasets_neither_is_better(tmp_path):
    sides = [read_report(written(tmp_path, "PAIR014", kind)) for kind in ("bad", "ok")]
    for before, after in (sides, sides[::-1]):
        found = beside(before, after, ("a", "b"), different=True)
        assert (found.direction, found.exit_code) == (Direction.DIFFERENT, 3)
        assert found.headline.startswith("These are different datasets: neither run is better")
        assert {r.change for r in found.rules} == {Change.DIFFERS, Change.UNCHANGED}
        assert {"PAIR003", "PAIR004", "PAIR014"} <= {r.id for r in found.of(Change.DIFFERS)}
        for name in ("html", "terminal"):
            page = load_comparison_renderers()[name](found, RenderOptions())
            assert "DIFFERENT DATASETS" in page.upper()


def test_of_two_sizes_nothing_is_better_unless_the_data_shows_that_it_is_one(tmp_path):
    sides = [written(tmp_path, "PAIR014", kind) for kind in ("bad", "ok")]  # 202 nodes and 15
    found = compare(Asked(*sides))
    assert (found.direction, found.exit_code) == (Direction.DIFFERENT, 3)
    assert found.notes[0] == "The first run has 202 nodes, the second 15."
    before, after = map(read_report, sides)
    mapping = replace(before.statistics.mapping, nodes=8)  # not less than half of 15
    smaller = replace(before, statistics=replace(before.statistics, mapping=mapping))
    assert unlike(smaller, after) == ""
    none = Listed(0)
    drift = Drift((202, 15), (9, 9), none, Listed(195), none, none, none, None, 0, 0, 0)
    assert unlike(before, after, drift) == (
        "Of 15 nodes of the smaller dataset 7 are in the other."
    )


def test_two_runs_of_one_title_are_called_by_their_files_as_well(tmp_path):
    path = written(tmp_path, "PAIR014", "ok")
    text = load_comparison_renderers()["terminal"](compare(Asked(path, path)), RenderOptions())
    assert f"Before, PAIR014 ok ({path}"[:50] in text


def test_the_pictures_tell_what_the_diagnosis_asked(repaired: Comparison):
    """202 nodes of which 101 in no pair; then the fifteen carnivores, all in pairs."""
    never = repaired.pictures.coverage[-1]
    assert (never.label, never.before, never.after) == ("in no pair", 101, 0)
    needed, sized = repaired.pictures.rows
    assert (needed.before, needed.after) == (202, 15)
    assert (sized.before, sized.after) == (101, 15)
    # of the closure of fifteen carnivores, 14 of 34 pairs are parent and child
    assert repaired.pictures.depths[0][2] == pytest.approx(14 / 34)
    page = load_comparison_renderers()["html"](repaired, RenderOptions())
    assert "Nodes in no pair, which no training reaches: 101 before, 0 after" in page
    assert "Rows of a table sized from the pairs: 101 before, 15 after." in page


def test_the_norms_and_scores_of_two_tables(retrained: Comparison):
    of_ranks = {"HIER003", "HIER004", "HIER006", "HIER010"}  # the clip took the ranking along
    fixed = {r.id for r in retrained.of(Change.FIXED)}
    assert fixed == {"EMB004", "EMB010", "TRAIN002"} | of_ranks
    assert retrained.pictures.radii[5][0] == 90
    # norms of 0.999 and 0.9 are radii of 7.6 and 2.94
    assert retrained.pictures.radii[5][1] > 7.6 > 2.94 > retrained.pictures.radii[5][2]
    labels = [score.label for score in retrained.scores]
    assert labels[:2] == ["MAP", "hits@1"]
    assert all(s.before_interval and s.after_interval for s in retrained.scores)
    page = load_comparison_renderers()["html"](retrained, RenderOptions())
    was, now = (f"{radius:.2f}" for radius in retrained.pictures.radii[5][1:])
    assert f"The 90th percentile of the radii: {was} before, {now} after" in page
    text = load_comparison_renderers()["terminal"](retrained, RenderOptions())
    assert "fixed            EMB004 boundary_saturation   FAIL 125 of 177 → PASS" in text


def test_every_statistic_stands_side_by_side(repaired: Comparison):
    found = {(n.section, n.name): (n.before, n.after) for n in repaired.numbers}
    assert found["mapping", "nodes"] == (202, 15)
    assert found["pairs", "depth shares 1"] == (1.0, pytest.approx(14 / 34))
    assert found["tree", "missing pairs"] == (0, 0)


def test_the_json_follows_its_schema(repaired: Comparison, retrained: Comparison):
    schema = comparison_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for comparison in (repaired, retrained):
        text = load_comparison_renderers()["json"](comparison, RenderOptions())
        jsonschema.validate(json.loads(text), schema)
    assert json.loads(text)["direction"] == "better"


def test_the_page_holds_no_address_and_escapes_what_it_is_given(repaired: Comparison):
    from msgspec.structs import replace

    bad = replace(repaired.before, title="<script>alert(1)</script>")
    page = load_comparison_renderers()["html"](replace(repaired, before=bad), RenderOptions())
    assert "<script>alert" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert len(page.encode()) < 1_000_000


def test_runs_of_another_kind_are_said(tmp_path):
    before, after = (written(tmp_path, "PAIR014", kind) for kind in ("bad", "ok"))
    content = json.loads(Path(before).read_text())
    content["tool"]["version"] = "0.0.1"
    Path(before).write_text(json.dumps(content))
    _, note = compare(Asked(before, after)).notes  # the first: of how many nodes each is
    assert "written by taxcheck 0.0.1" in note


def test_the_same_files_are_said(tmp_path):
    before = written(tmp_path, "PAIR014", "bad")
    comparison = compare(Asked(before, before))
    assert comparison.notes == ("Both reports are of the same files, byte by byte.",)
    assert (comparison.direction, comparison.exit_code) == (Direction.UNCHANGED, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("{}", "is no report of `taxcheck run --json`"),
        ("[]", "is no report of `taxcheck run --json`"),
        ('{"schema_version": "3.0"}', "has report schema 3.0, which cannot be compared"),
        ('{"schema_version": [2]}', "has report schema .2., which cannot be compared"),
        ('{"schema_version": "2.0"}', "Object missing required field `tool`"),
        ('{"schema_version": "1.3"}', "is no whole report, it lacks verdict"),
    ],
)
def test_what_cannot_be_compared_is_said(tmp_path, text, said):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=said):
        compare(Asked(str(tmp_path / "a.json"), str(tmp_path / "a.json")))


def kept(path, results):
    path.write_bytes(report_to_json(report(results)))
    return str(path)


def changed(content, keys, value):
    """The content with one value put; ``...`` takes it out."""
    *path, last = keys
    inner = content
    for key in path:
        inner = inner[key]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return content


def deep(levels):
    return {"a": deep(levels - 1)} if levels else 1


@pytest.mark.parametrize(
    ("keys", "value", "said"),
    [
        (["results", 2, "message"], ..., "results[2]: Object missing required field `message`"),
        (["results", 0, "count"], "3", "results[0].count: Expected `int | null`, got `str`"),
        (["results", 0, "total"], 10**30, "results[0].total: Expected `int` <="),
        (["results", 0, "share"], True, "results[0].share: Expected `float | null`, got `bool`"),
        (["results", 0, "outcome"], "fine", "results[0].outcome: Invalid enum value 'fine'"),
        (["inputs", 1], [], "inputs[1]: Expected `object`, got `array`"),
        (["inputs", 0, "rows"], None, "inputs[0].rows: Expected `int`, got `null`"),
        (["tool"], {}, "tool: Object missing required field `version`"),
        (["tool", "name"], "other", "tool.name: Invalid enum value 'other'"),
        (["policy", "differences"], [], "policy.differences: Expected `object`, got `array`"),
        (["statistics", "pairs", "never"], -1, "statistics.pairs.never: Expected `int` >= 0"),
        (["statistics", "pairs"], deep(40), "statistics.pairs: Object missing required field"),
        (["statistics", "tree", "kind"], deep(40), "statistics.tree.kind: Expected `str`"),
        (["statistics"], [], "statistics: Expected `object`, got `array`"),
    ],
)
def test_a_report_that_was_mended_is_refused_by_place_and_kind(tmp_path, keys, value, said):
    path = Path(written(tmp_path, "PAIR014", "ok"))
    path.write_text(json.dumps(changed(json.loads(path.read_text()), keys, value)))
    with pytest.raises(InputError) as refused:
        read_report(str(path))
    start = f"{path}: is not as `taxcheck run --json` writes it: {said}"
    assert str(refused.value).startswith(start)
    assert str(refused.value).endswith("; write it again")
    assert not isinstance(refused.value, OtherSchemaError)


def test_a_report_that_was_cut_is_refused_in_one_line(tmp_path):
    path = Path(written(tmp_path, "PAIR014", "ok"))
    whole = path.read_text()
    for end in range(0, len(whole) - 2, 997):
        path.write_text(whole[:end])
        with pytest.raises(InputError, match="is no JSON"):
            read_report(str(path))


@pytest.mark.parametrize(
    "text", ['{"a": NaN}', '{"a": 1e999}', "[" * 100_000, '{"a": ' + "9" * 5_000 + "}", "\ufeff{}"]
)
def test_json_that_no_report_is_written_as_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=r"a\.json: is no (JSON|report)") as refused:
        compare(Asked(str(tmp_path / "a.json"), str(tmp_path / "a.json")))
    assert len(str(refused.value)) < len(str(tmp_path)) + 120


def test_a_report_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        compare(Asked(str(tmp_path / "a.json"), str(tmp_path / "a.json")))


def test_a_finding_that_is_no_longer_judged_is_not_fixed(tmp_path):
    before = written(tmp_path, "PAIR014", "bad")
    content = json.loads(Path(before).read_text())
    for one in content["results"]:
        if one["id"] in ("PAIR003", "PAIR004"):
            one |= {"outcome": "skipped", "count": None, "total": None, "share": None}
        if one["id"] == "PAIR014":
            one |= {"outcome": "pass", "count": 0, "share": 0.0}
    (tmp_path / "after.json").write_text(json.dumps(content))
    comparison = compare(Asked(before, str(tmp_path / "after.json")))
    assert [rule.id for rule in comparison.lost] == ["PAIR003", "PAIR004"]
    assert comparison.direction is Direction.MIXED
    assert comparison.headline == "Findings: 1 fixed, 2 no longer judged."
    assert comparison.exit_code == 1


@pytest.mark.parametrize("was", ["fail", "warn"])
@pytest.mark.parametrize("now", ["skipped", "error", None])
def test_a_lost_finding_is_not_unchanged(tmp_path, was, now):
    rules = ([rule("A1", was, 3), rule("B1", "pass")], [rule("B1", "pass")])
    if now:
        rules[1].append(rule("A1", now, None))
    before, after = (kept(tmp_path / name, rules[k]) for k, name in enumerate("ba"))
    found = compare(Asked(before, after))
    assert (found.direction, found.exit_code) == (Direction.UNJUDGED, 1)
    assert found.headline == "Findings: 1 no longer judged."
    for name in ("terminal", "html"):
        page = load_comparison_renderers()[name](found, RenderOptions())
        assert "no longer judged" in page.lower(), name
    same = compare(Asked(after, after))
    assert (same.direction, same.exit_code) == (Direction.UNCHANGED, 0)


@pytest.mark.parametrize("was", ["pass", "fail", "skipped"])
@pytest.mark.parametrize("left", [True, False])
def test_a_second_run_that_judged_nothing_is_never_zero(tmp_path, was, left):
    before = kept(tmp_path / "b", [rule("A1", was, None if was == "skipped" else 3)])
    after = kept(tmp_path / "a", [rule("A1", "skipped", None)] if left else [])
    found = compare(Asked(before, after))
    assert (found.direction, found.exit_code) == (Direction.UNJUDGED, 1)
    assert found.headline.startswith("The second run judged nothing. ")


def test_gate_reports_of_a_repair_can_be_compared(tmp_path):
    """`taxcheck fix` writes the report of its own gate; against it every finding is fixed."""
    from click.testing import CliRunner

    from taxcheck.cli.fix import fix

    bad = case_folder("PAIR005", "bad")
    command = ["--mapping", str(bad / "mapping.tsv"), "--pairs", str(bad / "pairs.tsv")]
    done = CliRunner().invoke(fix, [*command, "--out", str(tmp_path / "fixed")])
    assert done.exit_code == 0, done.output
    before = written(tmp_path, "PAIR005", "bad")
    comparison = compare(Asked(before, str(tmp_path / "fixed" / "gate.json"), data=True))
    assert [rule.id for rule in comparison.of(Change.FIXED)] == ["PAIR005"]
    assert comparison.drift is not None
    assert comparison.drift.headline == "The data is the same."  # a self pair is no pair
