"""Kept results: the same bytes as a fresh run, never a wrong one, and no trouble of their own."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, fields, replace
from pathlib import Path

import jsonschema
import pytest
from msgspec import structs

from taxcheck.model.errors import UsageError
from taxcheck.model.finding import Finding, Outcome
from taxcheck.model.report import RenderOptions, Report, Tool
from taxcheck.model.rule import About, rule
from taxcheck.model.schema import report_schema
from taxcheck.model.statistics import Statistics
from taxcheck.model.waiver import Waiver
from taxcheck.model.written import settled
from taxcheck.policy.model import Dataset, Policy, RulePolicy
from taxcheck.policy.read import load_policy
from taxcheck.run.cache import answer as answering
from taxcheck.run.cache import identity as identities
from taxcheck.run.cache.answer import answer
from taxcheck.run.cache.folder import from_bytes, keep, look_up, to_bytes
from taxcheck.run.cache.identity import COMPUTING, computed_by, identify
from taxcheck.run.cache.trust import Trust
from taxcheck.run.check import check
from taxcheck.run.registry import load_renderers, load_rules
from taxcheck.run.request import Request
from taxcheck.run.rules import run_rules
from tests.case_folders import case_folder

MINE = Trust()
OPTIONS = (RenderOptions(), RenderOptions(color=True, width=72, verbose=True))


def request_of(folder: Path, **more) -> Request:
    def path(name: str) -> str | None:
        return str(folder / name) if (folder / name).exists() else None

    policy, tables = folder / "taxcheck.toml", list(folder.glob("checkpoint.*"))
    return Request(
        mapping=path("mapping.tsv"),
        pairs=path("pairs.tsv"),
        held_out=path("held_out.tsv"),
        taxonomy=path("taxdump"),
        embeddings=str(tables[0]) if tables else None,
        initial=path("initial.npy"),
        policy=load_policy(policy, load_rules()) if policy.exists() else Policy(),
        **more,
    )


@pytest.fixture
def small(tmp_path) -> Request:
    """A path 0 -> 1 -> 2 with its closure."""
    mapping, pairs = tmp_path / "m.tsv", tmp_path / "p.tsv"
    mapping.write_text("taxid\tidx\n10\t0\n11\t1\n12\t2\n")
    pairs.write_text("ancestor_idx\tdescendant_idx\tdepth_diff\n0\t1\t1\n1\t2\t1\n0\t2\t2\n")
    return Request(mapping=str(mapping), pairs=str(pairs))


@pytest.fixture
def runs(monkeypatch) -> list[Request]:
    """Every run that is really made."""
    made: list[Request] = []

    def counted(request, progress):
        made.append(request)
        return check(request, progress)

    monkeypatch.setattr(answering, "_check", counted)
    return made


def rendered(report: Report) -> dict[tuple[str, int], str]:
    renderers = load_renderers()
    return {(n, k): renderers[n](report, o) for n in renderers for k, o in enumerate(OPTIONS)}


def _each() -> list[object]:
    """All rules, of which every ninth is no slow one: reports of one family are alike."""
    return [
        pytest.param(rule.id, marks=pytest.mark.slow if k % 9 else ())
        for k, rule in enumerate(load_rules())
    ]


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("rule", _each())
def test_every_format_is_the_same_from_a_kept_report(rule: str):
    """Of every rule's broken data, where most pass; the notice of JSON is told apart below."""
    fresh = check(request_of(case_folder(rule, "bad")))
    assert rendered(from_bytes("key", to_bytes("key", fresh, MINE), MINE)) == rendered(fresh)


def judged(observed: dict[object, object], **told: object) -> Report:
    """A report of one rule of one's own, which observed this."""

    def odd() -> Finding:
        return Finding(True, "m", observed=observed, **told)  # type: ignore[arg-type]

    odd.__doc__ = load_rules()[0].function.__doc__
    results = run_rules([rule("XXX001", "fail", about=About.PAIRS)(odd)], {}, Policy())
    return settled(
        Report(tool=Tool("1"), title="t", created="now", command="c", inputs=(), results=results,
               statistics=Statistics())
    )  # fmt: skip


def test_numbers_come_back_as_they_were():
    """No double is rounded, and what is no number is none in both."""
    numbers = {"a": 0.1 + 0.2, "c": -0.0, "d": 2**63, "e": 1e-310, "f": True, "g": 6.0, "h": 6}
    fresh = judged(numbers | {"b": float("inf"), "i": float("nan")})
    kept = from_bytes("key", to_bytes("key", fresh, MINE), MINE)
    assert kept == fresh
    (one,) = kept.results
    assert {k: repr(v) for k, v in one.observed.items()} == {
        k: repr(v) for k, v in (numbers | {"b": None, "i": None}).items()
    }


@pytest.mark.parametrize(
    "observed",
    [{"a": object()}, {"a": 2**70}, {1: "a"}, {"a": {"b": [1]}}, {"a": {1, 2}}],
    ids=["object", "large", "key", "deep", "set"],
)
def test_whatever_a_plugin_observes_is_kept_as_it_is_shown(observed):
    fresh = judged(observed)
    assert fresh.exit_code == 1
    assert from_bytes("key", to_bytes("key", fresh, MINE), MINE) == fresh


@pytest.mark.parametrize(
    "told", [{"count": -1}, {"samples": (3,)}, {"fix": 5}], ids=["count", "samples", "fix"]
)
def test_a_finding_that_no_report_can_hold_is_an_error_of_its_rule(told):
    report = judged({}, **told)
    assert report.exit_code == 4
    assert (report.results[0].reason or "").startswith("ValidationError: Expected")


def test_an_unchanged_run_is_answered_without_one(small, tmp_path, runs):
    first = answer(small, tmp_path / "c")
    again = answer(replace(small, command="taxcheck run --html x.html"), tmp_path / "c")
    assert len(runs) == 1
    assert (first.report.cached, first.note) == (False, "")
    assert again.report.cached
    assert again.report.created in again.note
    assert again.report.command == "taxcheck run --html x.html"
    assert structs.replace(again.report, cached=False, command="") == first.report


def test_json_says_so_and_keeps_to_its_schema(small, tmp_path):
    answer(small, tmp_path / "c")
    report = answer(small, tmp_path / "c").report
    content = json.loads(load_renderers()["json"](report, RenderOptions()))
    schema = report_schema()
    jsonschema.Draft202012Validator(schema).validate(content)
    assert content["cached"] is True
    fresh = structs.replace(report, cached=False)
    assert json.loads(load_renderers()["json"](fresh, RenderOptions()))["cached"] is False


def test_a_reproducible_report_does_not_tell_them_apart(small, tmp_path, monkeypatch, runs):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first, again = (answer(small, tmp_path / "c").report for _ in range(2))
    assert len(runs) == 1
    assert first == again
    assert rendered(first) == rendered(again)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"title": "other"},
        {"fail_on": Outcome.WARN},
        {"drawn": False},
        {"pair_columns": "ancestor,descendant,depth_diff"},
        {"mapping_columns": "taxid,idx"},
        {"policy": Policy(dataset=Dataset(kind="tree"))},
        {"policy": Policy(rules={"MAP001": RulePolicy(enabled=False)})},
        {"policy": Policy(source="taxcheck.toml")},
    ],
    ids=lambda change: "-".join(change),
)
def test_another_question_is_another_run(small, tmp_path, runs, change):
    answer(small, tmp_path / "c")
    assert not answer(replace(small, **change), tmp_path / "c").report.cached
    assert len(runs) == 2


def test_every_field_of_a_request_is_thought_of():
    """A new field must be named here, and be part of the key or have no part in the result."""
    keyed = {*identities._TABLES, *identities._CHECKPOINTS, *identities._OPTIONS}
    keyed |= {"taxonomy", "policy", "fail_on", "title"}
    refused = {*identities._NOT_KEPT, "known_columns"}  # of those that are refused
    no_part = {"workers", "engine", "command"}
    assert {f.name for f in fields(Request)} == keyed | refused | no_part


def test_other_bytes_are_another_run_whatever_their_date_and_size(small, tmp_path, runs):
    path = Path(small.pairs or "")
    before = path.stat()
    answer(small, tmp_path / "c")
    text = path.read_text()
    path.write_text(text.replace("0\t2\t2", "1\t2\t1"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    changed = answer(small, tmp_path / "c")
    assert not changed.report.cached
    assert changed.report.exit_code == 1
    path.write_text(text)
    assert answer(small, tmp_path / "c").report.cached
    assert len(runs) == 2


def test_other_code_is_another_run(small, tmp_path, runs, monkeypatch):
    answer(small, tmp_path / "c")
    monkeypatch.setattr(identities, "version", lambda _: "9.9")
    assert not answer(small, tmp_path / "c").report.cached
    assert len(runs) == 2


def test_all_that_computes_is_part_of_it(small):
    named = computed_by()
    assert set(check(small).packages) <= set(COMPUTING)
    plugins = [(group, value) for group, _, value, _, _ in named["plugins"]]  # type: ignore[misc]
    assert ("taxcheck.rules", "taxcheck_rules") in plugins
    assert ("taxcheck.renderers", "taxcheck_reports") in plugins
    assert ("taxcheck.causes", "taxcheck_rules.causes") in plugins
    codes = {code for *_, code in named["plugins"]}  # type: ignore[misc]
    assert len(codes) == len({value.partition(".")[0] for _, value in plugins})  # of its own files


def test_the_code_of_a_rule_counts_and_not_its_version_alone(tmp_path, monkeypatch):
    package = tmp_path / "plugged_in"
    package.mkdir()
    (package / "__init__.py").write_text("A = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = identities._code("plugged_in.rules")
    (package / "rules.py").write_text("B = 2\n")
    assert identities._code("plugged_in.rules") != before


def test_arrays_beside_a_gensim_model_count(tmp_path):
    import numpy as np

    np.save(tmp_path / "m.npy", np.zeros((3, 2)))
    request = Request(embeddings=str(tmp_path / "m.npy"))
    before = identify(request).key
    np.save(tmp_path / "m.npy.kv.vectors.npy", np.ones(3))
    assert identify(request).key != before


def test_a_waiver_expires_in_the_cache_too(small, tmp_path, runs, monkeypatch):
    Path(small.mapping or "").write_text("taxid\tidx\n10\t0\n11\t1\n12\t2\n13\t3\n")
    found = [r.id for r in check(small).results if r.outcome is Outcome.FAIL]
    waivers = tuple(Waiver(id, "o", "r", dt.date(2030, 1, 31), max_count=9) for id in found)
    waived = replace(small, policy=Policy(waivers=waivers))
    for day, expected in ((31, 0), (31, 0), (32, 1)):
        moment = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC) + dt.timedelta(days=day - 1)
        monkeypatch.setattr("taxcheck.run.cache.identity.created", lambda m=moment: _dated(m))
        monkeypatch.setattr("taxcheck.run.judge.created", lambda m=moment: _dated(m))
        assert answer(waived, tmp_path / "c").report.exit_code == expected
    assert len(runs) == 2  # one for both of the days on which the waivers hold


def _dated(moment: dt.datetime) -> tuple[str, bool]:
    return moment.isoformat(timespec="seconds"), True


@pytest.mark.parametrize("how", ["emptied", "cut", "a bit", "another's", "longer", "no entry"])
def test_a_damaged_entry_is_replaced(small, tmp_path, runs, how):
    cache = tmp_path / "c"
    answer(small, cache)
    (path,) = cache.glob("*.result")
    whole = path.read_bytes()
    other = to_bytes("other", check(small), MINE)
    path.write_bytes(
        {
            "emptied": b"",
            "cut": whole[: len(whole) // 2],
            "a bit": whole[:-9] + bytes([whole[-9] ^ 4]) + whole[-8:],
            "another's": other,
            "longer": whole + b"\0",
            "no entry": b"\x80\x04cos\nsystem\n(S'touch owned'\ntR.",
        }[how]
    )
    assert not answer(small, cache).report.cached
    assert answer(small, cache).report.cached
    assert len(runs) == 2
    assert not Path("owned").exists()


def test_an_entry_that_another_may_have_written_is_not_believed(small, tmp_path, runs, monkeypatch):
    cache = tmp_path / "c"
    answer(small, cache)
    (path,) = cache.glob("*.result")
    path.chmod(0o664)
    assert answer(small, cache).note == (
        "cache: others may write the entry, so the run was made anew"
    )
    assert path.stat().st_mode & 0o777 == 0o644 & cache.stat().st_mode
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    found = answer(small, cache)
    assert (found.report.cached, len(runs)) == (False, 3)
    assert found.note == (
        "cache: another user wrote the entry; TAXCHECK_CACHE_KEY shares a folder, so the run was "
        "made anew"
    )


def test_a_group_believes_what_its_secret_seals(small, tmp_path, runs, monkeypatch):
    """Whoever wrote it; a report that was put there without the secret is worth nothing."""
    cache = tmp_path / "c"
    answer(small, cache)
    (path,) = cache.glob("*.result")
    forged = path.read_bytes()
    monkeypatch.setenv("TAXCHECK_CACHE_KEY", "a secret of the group")
    assert not answer(small, cache).report.cached
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    path.chmod(0o666)
    assert answer(small, cache).report.cached
    for content in (forged, to_bytes(path.stem, check(small), Trust("another one's secret"))):
        path.write_bytes(content)
        assert not answer(small, cache).report.cached
    assert len(runs) == 4
    monkeypatch.setenv("TAXCHECK_CACHE_KEY", "guessable")
    with pytest.raises(UsageError, match="TAXCHECK_CACHE_KEY has fewer than 16 characters"):
        answer(small, cache)


@pytest.mark.parametrize(("folder", "entry"), [(0o2770, 0o640), (0o755, 0o644), (0o700, 0o600)])
def test_whoever_may_read_the_folder_may_read_its_entries(tmp_path, folder, entry):
    tmp_path.chmod(folder)
    before = os.umask(0o077)
    try:
        keep(tmp_path, "k", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "k.result").stat().st_mode & 0o777 == entry


def test_an_entry_of_another_shape_is_none():
    from blake3 import blake3

    for body in (b"{}", b'{"schema_version": "2.0"}', b"[1]", b"null", b"", b"\xff"):
        digest = blake3(b"key\n" + body).digest()
        assert from_bytes("key", b"taxcheck result 3\n" + digest + body, MINE) is None


@pytest.mark.parametrize("kind", ["a file", "below a file"])
def test_a_folder_that_cannot_be_is_said_and_no_error(small, tmp_path, kind):
    (tmp_path / "c").write_text("mine")
    folder = tmp_path / "c" if kind == "a file" else tmp_path / "c" / "d"
    done = answer(small, folder)
    assert done.report.exit_code == 0
    assert "cannot be written" in done.note
    assert (tmp_path / "c").read_text() == "mine"


def test_what_leaves_more_than_a_report_is_not_kept(small, tmp_path):
    piped = tmp_path / "pipe"
    os.mkfifo(piped)
    threading.Thread(
        target=lambda: piped.write_bytes(Path(small.pairs or "").read_bytes()), daemon=True
    ).start()
    for request, why in (
        (replace(small, failures=tmp_path / "f"), "failing rows"),
        (replace(small, pairs=str(piped)), "no plain file"),
    ):
        done = answer(request, tmp_path / "c")
        assert why in done.note
        assert not done.report.cached
    assert not (tmp_path / "c").exists()
    with pytest.raises(identities.NotKeptError, match="standard input"):
        identify(replace(small, mapping="-"))
    with pytest.raises(identities.NotKeptError, match="projection"):
        identify(replace(small, projected=True))


def test_a_file_that_changes_meanwhile_is_kept_under_no_key(small, tmp_path, monkeypatch):
    """It is written to after it was hashed and before it is read: the report is of other bytes."""
    pairs = Path(small.pairs or "")

    def changing(request, progress):
        pairs.write_text(pairs.read_text().replace("0\t2\t2", "1\t2\t1"))
        return check(request, progress)

    monkeypatch.setattr(answering, "_check", changing)
    done = answer(small, tmp_path / "c")
    assert done.report.exit_code == 1
    assert "changed meanwhile" in done.note
    assert not (tmp_path / "c").exists()


def test_a_taxonomy_that_changes_meanwhile_is_kept_under_no_key(tmp_path, monkeypatch):
    import shutil

    shutil.copytree(case_folder("MAP006", "ok"), tmp_path / "d")
    names = tmp_path / "d" / "taxdump" / "names.dmp"

    def changing(request, progress):
        report = check(request, progress)
        names.write_text(names.read_text().replace("Canis lupus", "Canis lupuz"))
        return report

    monkeypatch.setattr(answering, "_check", changing)
    done = answer(request_of(tmp_path / "d"), tmp_path / "c")
    assert "changed meanwhile" in done.note
    assert not (tmp_path / "c").exists()


def test_a_broken_rule_is_not_remembered(small, tmp_path, monkeypatch):
    def broken(request, progress):
        report = check(request, progress)
        first = structs.replace(report.results[0], outcome=Outcome.ERROR, reason="oops")
        return structs.replace(report, results=(first, *report.results[1:]))

    monkeypatch.setattr(answering, "_check", broken)
    assert "a rule broke" in answer(small, tmp_path / "c").note
    assert not (tmp_path / "c").exists()


def test_the_least_recently_used_goes_first(tmp_path):
    for k in range(5):
        keep(tmp_path, f"{k}", b"x", most=9)
        os.utime(tmp_path / f"{k}.result", (1000 + k, 1000 + k))
    assert look_up(tmp_path, "0", MINE) == b"x"  # used now, so 1 is the oldest
    keep(tmp_path, "5", b"x", most=4)
    assert {path.stem for path in tmp_path.glob("*.result")} == {"0", "3", "4", "5"}


def test_what_a_killed_process_left_goes_and_what_one_writes_stays(tmp_path):
    for name in (".k.result.old.partial", ".k.result.new.partial", "mine.txt"):
        (tmp_path / name).write_text("x")
    hours_ago = time.time() - 7200
    os.utime(tmp_path / ".k.result.old.partial", (hours_ago, hours_ago))
    os.utime(tmp_path / "mine.txt", (hours_ago, hours_ago))
    keep(tmp_path, "k", b"x")
    assert {path.name for path in tmp_path.iterdir()} == {
        *(".k.result.new.partial", "mine.txt", "k.result", "CACHEDIR.TAG", ".gitignore")
    }


def test_the_folder_says_that_it_is_a_cache(small, tmp_path):
    answer(small, tmp_path / "c")
    tag = (tmp_path / "c" / "CACHEDIR.TAG").read_text()
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    assert (tmp_path / "c" / ".gitignore").read_text() == "*\n"


@pytest.mark.long
def test_two_at_once_leave_one_whole_entry(small, tmp_path):
    command = [sys.executable, "-m", "taxcheck.cli", "run", "--mapping", small.mapping or ""]
    command += ["--pairs", small.pairs or "", "--cache", str(tmp_path / "c")]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [one.wait(timeout=900) for one in both] == [0, 0]
    assert len(list((tmp_path / "c").glob("*.result"))) == 1
    env = os.environ | {"TAXCHECK_CACHE": str(tmp_path / "c")}
    third = subprocess.run(command[:-2], capture_output=True, text=True, env=env, timeout=900)
    assert (third.returncode, third.stderr) == (0, "")
    assert third.stdout.splitlines()[-1].startswith("cache: the inputs are those of 20")


def test_an_answer_imports_neither_pandas_nor_pandera(small, tmp_path):
    answer(small, tmp_path / "c")
    code = (
        "import sys; from pathlib import Path; from taxcheck.run.cache.answer import answer; "
        "from taxcheck.run.request import Request; "
        f"r = Request(mapping={small.mapping!r}, pairs={small.pairs!r}); "
        f"assert answer(r, Path({str(tmp_path / 'c')!r})).report.cached; "
        "assert not {'pandas', 'pandera', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=900)


def test_unreadable_inputs_are_told_as_without_a_cache(tmp_path):
    from taxcheck.model.errors import InputError

    with pytest.raises(InputError, match=r"none\.tsv: no such file"):
        answer(Request(mapping=str(tmp_path / "none.tsv")), tmp_path / "c")


def test_a_policy_is_keyed_by_what_it_says():
    """Two policies that are equal as values have one text, however they were written."""
    one = Policy(rules={"MAP001": RulePolicy(), "MAP002": RulePolicy(enabled=False)})
    two = Policy(rules={"MAP002": RulePolicy(enabled=False), "MAP001": RulePolicy()})
    assert one == two
    assert json.dumps(asdict(one), sort_keys=True) == json.dumps(asdict(two), sort_keys=True)
