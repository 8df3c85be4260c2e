"""The page of the policy: every key, its default and what it can be, from what checks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from docs.generate.markdown import Page, code, prose, table
from taxcheck.cli import cli
from taxcheck.model.finding import Severity
from taxcheck.model.waiver import KEYS, WaiverState
from taxcheck.policy.model import DUPLICATES, INTENTS, KINDS, SAMPLERS, Dataset, Inputs, Service
from taxcheck.run.registry import load_rules

DATASET = {
    "pairs": ((*INTENTS, "depth<=k"), "Which pairs there should be: with every ancestor, with "
              "parents alone, up to k levels above, or any subset."),
    "kind": (KINDS, "Whether a node may have several parents; `auto` takes what the pairs make."),
    "roots": (("a list of identifiers",), "The nodes that may be without a parent."),
    "duplicates": (DUPLICATES, "Whether a pair may be repeated, which then has to be a weight."),
    "sampler": (SAMPLERS, "How training draws: pairs as they come, depths 1, 2 to 5 and beyond in "
                "equal shares, or negatives at the descendant's depth, as they are or without the "
                "ancestor's own descendants."),
}  # fmt: skip
WAIVER = {
    "rule": "The rule whose finding is waived, by id or name.",
    "owner": "Who answers for it.",
    "reason": "Why it may stay.",
    "expires": "The last day on which it holds, UTC, as a date.",
    "max_count": "Bound: at most so many.",
    "fingerprint": "Bound: for one input alone, as a report tells it (`blake3:…`).",
    "taxid": "Bound: for these nodes alone, by identifier.",
    "idx": "Bound: for these nodes alone, by idx.",
}
SERVICE = {
    "project": "As `--project`: the project there.",
    "dataset": "As `--dataset`: the dataset of that project.",
}
STATES = {
    WaiverState.WAIVED: ("it covers the finding, whose outcome is `waived`", "no"),
    WaiverState.EXPIRED: ("the last day is past", "yes"),
    WaiverState.STALE: ("there is nothing to waive", "yes"),
    WaiverState.EXCEEDED: ("more was found than it covers", "its rule does"),
    WaiverState.OTHER_DATA: ("its fingerprint is of no input", "no"),
    WaiverState.NOT_JUDGED: ("its rule did not run", "no"),
}


def pages() -> Iterator[Page]:
    """The one page of the policy."""
    defaults = {field.name: getattr(Dataset(), field.name) for field in fields(Dataset)}
    dataset = [
        (code(key), code(value if value != () else "[]"), _words(DATASET[key][0]), DATASET[key][1])
        for key, value in defaults.items()
    ]
    rule = [
        (code("enabled"), code("true"), "`true`, `false`", "Whether the rule runs at all."),
        (code("severity"), "the rule's own", _words(Severity), "What a finding of it weighs."),
        ("a threshold", "the rule's own", "a number", "When it is a finding; below is every one."),
    ]
    options = {option.name: option for option in cli.commands["run"].params}
    given = [
        (code(field.name), prose(str(getattr(options[field.name], "help", "")).split(";")[0]))
        for field in fields(Inputs)
    ]
    head = ("key", "default", "can be", "meaning")
    thresholds = [
        (f"[{r.id}](rules/{r.id}.md)", code(key), f"{t.default:g}", prose(t.meaning))
        for r in load_rules()
        for key, t in r.thresholds.items()
    ]
    states = [(code(state), *STATES[state]) for state in WaiverState]
    text = [
        "# Policy",
        "What the data means to be, and how strict each rule is: `taxcheck.toml`, or "
        "`[tool.taxcheck]` in `pyproject.toml`, beside where a command runs, or the file that "
        "`--policy` names. An unknown key ends the command with exit code 2 and names the nearest "
        "known one. [How to write one](../how-to/write-a-policy.md).",
        "## [dataset] { #dataset }",
        table(head, dataset),
        "## [inputs] { #inputs }",
        "The files of a run, so that `taxcheck run` needs no argument. Paths are relative to the "
        "policy; an option of the command line goes before its key here.",
        table(("key", "meaning"), given),
        "## [service] { #service }",
        "The dataset that runs on this data belong to, where they are "
        "[pushed](../how-to/push-from-ci.md). Which service that is no policy can say: whoever may "
        "change one could have runs, and the token, sent elsewhere.",
        table(("key", "meaning"), [(code(f.name), SERVICE[f.name]) for f in fields(Service)]),
        "## [rules.ID] { #rules }",
        "By the id of a rule or by its name.",
        table(head, rule),
        "## [[waiver]] { #waiver }",
        "All bounds that are given must hold, and one has to be given.",
        table(("key", "meaning"), [(code(key), WAIVER[key]) for key in KEYS]),
        table(("state of a waiver", "when", "fails the run"), states),
        "## Every threshold { #thresholds }",
        "Each rule's page tells on which real data its defaults were calibrated.",
        table(("rule", "key", "default", "meaning"), thresholds),
    ]
    yield Page("reference/policy.md", "\n\n".join(text) + "\n")


def _words(words: object) -> str:
    if not isinstance(words, tuple | list | type):
        return code(words)
    known = [str(word) for word in words]
    return ", ".join(word if " " in word else code(word) for word in known)
