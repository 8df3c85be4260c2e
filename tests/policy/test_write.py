"""What is written is what is read, and nobody's comments are lost."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from taxcheck.model.errors import UsageError
from taxcheck.model.finding import Severity
from taxcheck.model.geometry import GEOMETRIES
from taxcheck.model.waiver import Waiver
from taxcheck.policy.model import (
    DUPLICATES,
    FILES,
    INTENTS,
    KINDS,
    SAMPLERS,
    Dataset,
    Inputs,
    Policy,
    RulePolicy,
    Service,
)
from taxcheck.policy.read import load_policy, loads
from taxcheck.policy.write import dumps, own_text, remark, update
from taxcheck.run.registry import load_rules

RULES = {rule.id: rule for rule in load_rules()}
texts = st.text(st.characters(exclude_categories=["Cs"]))
words = texts.map(str.strip).filter(bool)  # of a waiver, which is read without what surrounds it
counts = st.integers(0, 10**20)
numbers = st.floats(allow_nan=False)
identifiers = st.lists(st.integers(-(10**20), 10**20) | texts, max_size=4).map(tuple)
sources = st.sampled_from([None, "taxcheck.toml", "data/taxcheck.toml", "../a/b.toml", "/x/t.toml"])


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    capped = st.integers(1, 10**9 - 1).map(lambda k: f"depth<={k}")
    return Dataset(
        pairs=draw(st.sampled_from(INTENTS) | capped),
        kind=draw(st.sampled_from(KINDS)),
        roots=draw(identifiers),
        duplicates=draw(st.sampled_from(DUPLICATES)),
        sampler=draw(st.sampled_from(SAMPLERS)),
    )


@st.composite
def rule_policies(draw: st.DrawFn) -> dict[str, RulePolicy]:
    return {
        rule: RulePolicy(
            draw(st.booleans()),
            draw(st.none() | st.sampled_from(Severity)),
            {key: draw(numbers) for key in RULES[rule].thresholds if draw(st.booleans())},
        )
        for rule in draw(st.lists(st.sampled_from(sorted(RULES)), max_size=4, unique=True))
    }


@st.composite
def waivers(draw: st.DrawFn) -> Waiver:
    bounds = {
        "max_count": counts,
        "fingerprint": texts.map(lambda text: f"blake3:{text}"),
        "taxid": identifiers.filter(bool),
        "idx": st.lists(counts, min_size=1, max_size=3).map(tuple),
    }
    given_ = draw(st.lists(st.sampled_from(sorted(bounds)), min_size=1, unique=True))
    return Waiver(
        draw(st.sampled_from(sorted(RULES))), draw(words), draw(words), draw(st.dates()),
        **{key: draw(bounds[key]) for key in given_},
    )  # fmt: skip


@st.composite
def inputs(draw: st.DrawFn, source: str | None) -> Inputs:
    """As they are read: paths lead from the folder of the policy."""
    folder = Path(source or "").parent
    values: dict[str, object] = {
        key: str(folder / draw(texts.filter(bool))) for key in FILES if draw(st.booleans())
    }
    values = {key: "./-" if path == "-" else path for key, path in values.items()}
    for key in ("mapping_columns", "pair_columns", "key"):
        values[key] = draw(st.none() | texts.filter(bool))
    values["geometry"] = draw(st.none() | st.sampled_from(GEOMETRIES))
    values["curvature"] = draw(
        st.none() | st.floats(min_value=0, exclude_min=True, allow_infinity=False)
    )
    return Inputs(**values)  # type: ignore[arg-type]


@st.composite
def policies(draw: st.DrawFn, of: str | type | None = type) -> Policy:
    source = draw(sources) if of is type else of
    return Policy(
        dataset=draw(datasets()),
        rules=draw(rule_policies()),
        source=source,  # type: ignore[arg-type]
        waivers=tuple(draw(st.lists(waivers(), max_size=3))),
        inputs=draw(inputs(source)),  # type: ignore[arg-type]
        service=Service(*(draw(st.none() | texts.filter(bool)) for _ in range(2))),
    )


HARD = "\x7f \x00\x1b \U0001d6fc \u2028 \x85 \"'\\ # = [x]\n\t'''\"\"\" e\u0301 \u202e"


@example(
    Policy(
        dataset=Dataset(roots=(0, HARD, "7586", -(10**20))),
        rules={"PAIR009": RulePolicy(thresholds={"departure": float("inf"), "deep_share": 5e-324})},
        waivers=(Waiver("PAIR005", HARD.strip(), "\U0001d6fc", dt.date.min, 0),),
        inputs=Inputs(pairs=HARD, key=HARD, curvature=5e-324),
    )
)
@settings(max_examples=40)
@given(policies())
def test_every_policy_is_read_as_it_is_written(policy: Policy):
    assert loads(dumps(policy), RULES.values(), policy.source) == policy


def commented(text: str, number: int = 0) -> str:
    """A comment of its own before and behind every line."""
    lines = []
    for line in text.split("\n"):
        lines += [f"# before {number}", f"{line}  # behind {number}" if line else "# blank"]
        number += 1
    return "\n".join(lines)


def comments(text: str) -> list[str]:
    return re.findall(r"# (?:before|behind) \d+", text)


@settings(max_examples=40)
@given(st.data())
def test_a_text_says_something_else_and_keeps_its_comments(data: st.DataObject):
    source = data.draw(sources)
    before, after = data.draw(policies(source)), data.draw(policies(source))
    text = commented(dumps(before))
    changed = update(text, after, RULES.values())
    assert loads(changed, RULES.values(), source) == after
    assert sorted(comments(changed)) == sorted(comments(text))
    assert update(changed, after, RULES.values()) == changed


LAYOUTS = {
    "as people write": """
# What we mean.
[dataset]
pairs = "edges"   # for now

# Ana's
[rules.MAP004]
enabled = false # she knows

# two waivers
# the first
[[waiver]]
rule = "self_pair"  # by its name
owner = 'ana'
reason = \"\"\"
long # no comment
\"\"\"
expires = 2030-01-01
max_count = 3
# the second
[[waiver]]
rule = "PAIR006"
owner = "bo"
reason = "x"
expires = 2030-01-01
idx = [
  1, # one
  2,
]
# the end
""",
    "in pieces, out of order": """
[rules.MAP004]
enabled = false # a
# b
[inputs]
pairs = "p.tsv" # c
mapping_columns = "a,b" # d
# e
[rules.self_pair]
severity = "warn" # f
# g
[dataset]
# h
roots = [
  1, # i
  # j
  2
] # k
[rules.PAIR009] # l
departure = 0.25 # m
""",
    "dotted": """
dataset.pairs = "edges" # a
# b
rules.PAIR009.severity = "info" # c
dataset.kind = "dag" # d
rules.PAIR009.departure = 1 # e
inputs.pairs = "p" # f
""",
    "dotted in a table": """
[rules]
# a
PAIR009.severity = "info" # b
MAP004.enabled = false # c
# d
""",
    "in line": """
dataset = {pairs = "edges", roots = [1]} # a
# b
rules = {PAIR009 = {severity = "info", departure = 1}, self_pair = {enabled = false}} # c
inputs = {pairs = "p", mapping_columns = "a,b"} # d
waiver = [{rule = "PAIR006", owner = "bo", reason = "x", expires = 2030-01-01, idx = [1]}] # e
""",
    "without a last line's end": '[dataset]\nkind = "tree" # a',
    "nothing": "",
    "words alone": "# a\n\n# b\n",
}


def test_a_rule_of_dotted_keys_stays_when_nothing_is_set_of_it():
    text = "[rules]\nMAP004.enabled = false # c\n"
    policy = Policy(rules={"MAP004": RulePolicy()})
    changed = update(text, policy, RULES.values())
    assert changed.startswith("[rules]\nMAP004.enabled = true # c\n")
    assert loads(changed, RULES.values()) == policy
    policy = Policy(rules={"MAP004": RulePolicy(enabled=False)})
    assert update(changed, policy, RULES.values()).startswith(text)


def test_a_key_stands_in_its_own_table_and_a_new_table_behind_it():
    text = "[rules.MAP004]\nseverity = 'warn' # a\n"
    off = RulePolicy(enabled=False)
    changed = update(text, Policy(rules={"PAIR009": off, "MAP004": off}), RULES.values())
    assert loads(changed, RULES.values()).rules == {"MAP004": off, "PAIR009": off}
    assert changed.startswith("[rules.MAP004]\n# severity = 'warn' # a\nenabled = false\n")


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=40)
@given(data=st.data())
def test_every_layout_can_be_changed(layout: str, data: st.DataObject):
    text = LAYOUTS[layout]
    before = loads(text, RULES.values())
    after = data.draw(policies(None))
    if data.draw(st.booleans()):  # what is there and more
        kept = data.draw(st.sets(st.integers(0, 1)))
        after = Policy(
            data.draw(st.sampled_from([before.dataset, after.dataset])),
            {**before.rules, **after.rules},
            None,
            (*(w for k, w in enumerate(before.waivers) if k in kept), *after.waivers),
            data.draw(st.sampled_from([before.inputs, after.inputs])),
        )
    changed = update(text, after, RULES.values())
    assert loads(changed, RULES.values()) == after
    for comment in re.findall(r"# ?[a-zA-Z' ]+$", text, re.M):
        assert comment in changed


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_says_so_already_is_not_touched(layout: str):
    text = LAYOUTS[layout]
    same = update(text, loads(text, RULES.values()), RULES.values())
    stripped = text.strip("\n")
    assert same.strip("\n").startswith(stripped)
    assert same.strip("\n") == stripped or "[dataset]" not in text


def test_what_goes_becomes_a_comment():
    before = loads(LAYOUTS["as people write"], RULES.values())
    after = Policy(before.dataset, before.rules, None, before.waivers[1:])
    text = update(LAYOUTS["as people write"], after, RULES.values())
    assert '# the first\n# [[waiver]]\n# rule = "self_pair"  # by its name\n' in text
    assert '# max_count = 3\n# the second\n[[waiver]]\nrule = "PAIR006"\n' in text


def test_what_goes_from_an_inline_form_becomes_a_comment():
    one = '{rule="PAIR006", owner="ana", reason="old loader", expires=2090-01-01, max_count=1}'
    two = '{rule="PAIR005", owner="bo", reason="x", expires=2090-01-01, max_count=2}'
    rules = 'rules = {PAIR009 = {severity = "info", departure = 1}, MAP004 = {enabled = false}} # c'
    text = f"{rules}\nwaiver = [\n  {one}, # ticket 77\n  {two}, # b\n]\n"
    before = loads(text, RULES.values())
    off = {"PAIR009": RulePolicy(severity=Severity.INFO)}
    after = Policy(before.dataset, off, None, before.waivers[1:])
    changed = update(text, after, RULES.values())
    assert loads(changed, RULES.values()) == after
    assert f"{one}, # ticket 77\n" in changed
    assert f"waiver = [\n  {two},\n]\n" in changed
    assert "# MAP004 = {enabled = false}\n" in changed
    assert "# departure = 1\n" in changed
    assert update(changed, after, RULES.values()) == changed
    none = update(text, Policy(before.dataset, before.rules), RULES.values())
    assert loads(none, RULES.values()).waivers == ()
    assert f"#   {one}, # ticket 77\n" in none
    assert none.startswith(rules)


def test_head_and_notes_are_comments_whatever_they_hold():
    text = dumps(
        Policy(rules={"PAIR009": RulePolicy()}),
        ["first", "a\nroots = [1]\x7f\x00"],
        {("dataset", "kind"): "x\ny = 1", ("rules", "PAIR009"): "it\ndeep_share = 1\r  # below"},
    )
    assert text.startswith("# first\n# a\n# roots = [1]\ufffd\ufffd\n\n[dataset]\n")
    assert 'kind = "auto"  # x y = 1\n' in text
    assert text.endswith("[rules.PAIR009]  # it\n# deep_share = 1\n#   # below\n")
    assert loads(text, RULES.values()) == Policy(rules={"PAIR009": RulePolicy()})


def test_a_name_that_is_no_text_is_refused_in_one_line():
    with pytest.raises(UsageError, match=r"mapping = 'a\\udcff' is no text"):
        dumps(Policy(inputs=Inputs(mapping="a\udcff")))
    assert remark("a\udcff\U0001d6fc\n b") == "a\ufffd\U0001d6fc b"


@pytest.mark.parametrize(
    "text",
    [
        "[project]\nname = 'x' # p\n[tool.taxcheck.dataset]\npairs = 'edges' # a\n"
        "[tool.ruff]\nline-length = 1 # q\n# b\n[tool.taxcheck.rules.MAP004]\nenabled = false # c\n"
        "[[tool.taxcheck.waiver]] # d\nrule = 'PAIR006'\nowner = 'o'\nreason = 'r'\n"
        "expires = 2030-01-01\nidx = [1]\n",
        "[tool]\ntaxcheck.dataset.pairs = 'edges' # a\ntaxcheck.rules.MAP004.enabled = false # c\n",
        "[tool.taxcheck]\ndataset.pairs = 'edges' # a\n[tool.taxcheck.rules]\n"
        "MAP004 = {enabled = false} # c\n",
        "[tool.other]\nx = 1\n[tool]\n"
        "taxcheck = {dataset = {pairs = 'edges'}, rules.MAP004.enabled = false}\n",
    ],
)
def test_the_part_of_a_pyproject_stands_alone(text: str, tmp_path: Path):
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    own = own_text(path)
    read = loads(own, RULES.values(), str(path))
    assert read == load_policy(path, RULES.values())
    assert not read.rules["MAP004"].enabled
    assert [mark for mark in "ac" if f"# {mark}\n" in text] == [
        mark for mark in "ac" if f"# {mark}\n" in own
    ]
    assert "name" not in own
    assert "line-length" not in own


def test_paths_lead_from_the_folder_of_the_policy():
    inputs = Inputs(pairs="p.tsv", mapping="/m", key="k")
    policy = Policy(source="data/taxcheck.toml", inputs=inputs)
    text = dumps(policy)
    assert 'mapping = "/m"\npairs = "../p.tsv"\nkey = "k"\n' in text
    assert loads(text, RULES.values(), policy.source).inputs.pairs == "data/../p.tsv"


@pytest.mark.parametrize(
    ("name", "table"), [("taxcheck.toml", "dataset"), ("pyproject.toml", "tool.taxcheck.dataset")]
)
def test_a_mark_of_the_byte_order_is_no_part_of_the_text(name: str, table: str, tmp_path: Path):
    path = tmp_path / name
    path.write_bytes(b"\xef\xbb\xbf" + f'[{table}]\nkind = "dag"\n'.encode())
    assert load_policy(path, RULES.values()).dataset.kind == "dag"
    assert loads(own_text(path), RULES.values()).dataset.kind == "dag"
