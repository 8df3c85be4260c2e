"""A page for every rule: its document, its thresholds, and what it says of its own bad data."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import chdir
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from docs.generate.markdown import Page, code, fenced, prose, table
from taxcheck.commands.selftest.cases import load_cases
from taxcheck.model.report import RenderOptions, Report
from taxcheck.model.rule import About, Rule
from taxcheck.policy.model import Policy
from taxcheck.policy.read import load_policy
from taxcheck.run.check import check
from taxcheck.run.registry import load_renderers, load_rules
from taxcheck.run.request import Request

FOLDER = "reference/rules/"
FAMILIES = {
    About.MAPPING: ("Mapping", "the table of identifiers and idx"),
    About.PAIRS: ("Pairs", "the training pairs, row by row and as a whole"),
    About.TREE: ("Hierarchy of the pairs", "what the pairs say when they are taken together"),
    About.TABLE: ("Embedding table", "the numbers of a trained table, by themselves"),
    About.HIERARCHY: ("Hierarchy in the table", "whether the table holds the hierarchy"),
    About.TRAINING: ("Training", "how the table came about"),
}
# What a rule takes, by the name of its parameter.
INPUTS = {
    "mapping": "the mapping",
    "pairs": "the pairs",
    "depth": "distances of the pairs (`depth_diff`)",
    "tree": "the hierarchy that the pairs make",
    "closure": "the proof of the pairs against their closure",
    "held_out": "held-out pairs",
    "taxonomy": "a taxonomy",
    "mapping_reading": "how the mapping was read",
    "pair_reading": "how the pairs were read",
    "embedding": "an embedding table",
    "coverage": "an embedding table with its data",
    "scores": "an embedding table with its pairs",
    "held_out_scores": "an embedding table with its pairs and held-out pairs",
    "exchanges": "an embedding table with its mapping and pairs",
    "alignment": "an embedding table with its pairs",
    "placement": "an embedding table with its pairs",
    "geometry": "an embedding table, with its pairs where its space is not stated",
    "training": "what the table's file records of its training",
}
_OPTIONS = {
    "mapping": "mapping.tsv",
    "pairs": "pairs.tsv",
    "held_out": "held_out.tsv",
    "taxonomy": "taxdump",
    "embeddings": "checkpoint.*",
    "initial": "initial.npy",
    "policy": "taxcheck.toml",
}


def pages() -> Iterator[Page]:
    """The list of all rules, and a page for each."""
    yield Page(f"{FOLDER}index.md", _index(load_rules()))
    for rule in load_rules():
        yield Page(f"{FOLDER}{rule.id}.md", page(rule, example(rule.id)[0]))


def navigation() -> list[object]:
    """The entries of the rules, by family."""
    entries: list[object] = [f"{FOLDER}index.md"]
    for about, (title, _) in FAMILIES.items():
        mine = [rule for rule in load_rules() if rule.about is about]
        entries.append({title: [{f"{r.id} {r.name}": f"{FOLDER}{r.id}.md"} for r in mine]})
    return entries


def _index(rules: tuple[Rule, ...]) -> str:
    parts = [
        "# Rules",
        f"{len(rules)} rules, each with its document, its thresholds and what it says of data that "
        "has the defect. `taxcheck rules` lists them, `taxcheck explain PAIR003` shows one.",
    ]
    for about, (title, said) in FAMILIES.items():
        rows = [
            (f"[{r.id}]({r.id}.md)", code(r.name), _outcome(r.severity), _summary(r))
            for r in rules
            if r.about is about
        ]
        parts += [f"## {title}", f"About {said}."]
        parts += [table(("rule", "defect", "default", "what it is"), rows)]
    return "\n\n".join(parts)


def _summary(rule: Rule) -> str:
    return prose(rule.document.summary.split("\n\n")[0])


def _outcome(word: str) -> str:
    return f'<span class="outcome {word}">{word}</span>'


def page(rule: Rule, report: Report) -> str:
    """The page of one rule; ``report`` is what its bad data gave."""
    document = rule.document
    parts = [
        f"# {rule.id} {rule.name}",
        f'<p class="facts"><span class="outcome {rule.severity}">{rule.severity}</span>'
        f" by default · {FAMILIES[rule.about][0]}</p>",
        prose(document.summary, "./"),
        *_example(rule, report),
        "## Why it matters",
        prose(document.why, "./"),
        "## How to fix",
        prose(document.fix, "./"),
        "## Known exceptions",
        prose(document.exceptions, "./"),
        *_observed(rule, report),
        "## What it needs",
        _needs(rule),
        "## In the policy",
        _policy(rule),
    ]
    parts += _causes(rule)
    parts += ["## References", prose(document.references)]
    return "\n\n".join(parts) + "\n"


def _needs(rule: Rule) -> str:
    def told(names: tuple[str, ...]) -> str:
        return ", ".join(INPUTS[name] for name in names if name in INPUTS)

    text = f"{told(rule.needs)[:1].upper()}{told(rule.needs)[1:]}."
    if rule.wants:
        text += f" It sees more with {told(rule.wants)}."
    return text + " Without them it is skipped, with the reason in the report."


def _policy(rule: Rule) -> str:
    lines = [f"[rules.{rule.id}]", f'severity = "{rule.severity}"', "enabled = true"]
    lines += [f"{key} = {t.default:g}" for key, t in rule.thresholds.items()]
    said = ["The defaults, as they would stand in a policy:", fenced("\n".join(lines), "toml")]
    for key, threshold in rule.thresholds.items():
        said.append(
            f"{code(key)}\n:   {prose(threshold.meaning)}.\n\n"
            f"    Calibrated on: {prose(threshold.calibrated_on)}."
        )
    return "\n\n".join(said)


def _causes(rule: Rule) -> list[str]:
    names = {other.id: other.name for other in load_rules()}
    above = [other for other in rule.caused_by if other in names]
    below = [other.id for other in load_rules() if rule.id in other.caused_by]
    lines = []
    if above:
        lines.append("Where one of these is found as well, it is the cause, and this rule is shown")
        lines[0] += " under it: " + _links(above, names) + "."
    if below:
        lines.append("It can be the cause of " + _links(below, names) + ".")
    return ["## Causes and consequences", "\n\n".join(lines)] if lines else []


def _links(ids: list[str], names: dict[str, str]) -> str:
    return ", ".join(f"[{id}]({id}.md) {names[id]}" for id in ids)


def arguments(folder: Path) -> dict[str, str]:
    """The inputs of the rule's bad data in a folder, by option."""
    found = {name: sorted((folder / "bad").glob(file)) for name, file in _OPTIONS.items()}
    return {name: str(paths[0]) for name, paths in found.items() if paths}


@cache
def example(rule: str) -> tuple[Report, str]:
    """The report on the rule's bad data, and the options by which it was asked for."""
    with TemporaryDirectory() as folder, chdir(folder):
        load_cases().of_rule[rule].write(Path(rule))
        given = arguments(Path(rule))
        options = " ".join(f"--{name.replace('_', '-')} {path}" for name, path in given.items())
        policy = given.pop("policy", None)
        report = check(
            Request(
                **given,
                policy=load_policy(Path(policy), load_rules()) if policy else Policy(),
                drawn=False,
                title=rule,
            )
        )
    return report, options


def _example(rule: Rule, report: Report) -> list[str]:
    """The commands on the rule's bad data, and what they print."""
    why = load_cases().of_rule[rule.id].why
    options = [f"--{part}" for part in example(rule.id)[1].split("--")[1:]]
    command = " \\\n    ".join(("taxcheck run", *(option.strip() for option in options)))
    said = load_renderers()["terminal"](report, RenderOptions(color=False, width=80))
    made = f"$ taxcheck explain {rule.id} --example {rule.id}"
    return [
        f"The smallest data that has it ({prose(why).rstrip('.')}):",
        fenced(f"{made}\n$ {command}\n{said}", "console"),
    ]


def _observed(rule: Rule, report: Report) -> list[str]:
    """The values beside the finding, and its advice."""
    (result,) = (r for r in report.results if r.id == rule.id)
    assert result.judged, f"{rule.id} was not judged on its own bad data"
    parts = ["## What it observes", "On the data above:"]
    rows = [(prose(str(k)), _value(v)) for k, v in result.observed.items()]
    rows += [(prose(f"threshold {k}"), f"{v:g}") for k, v in result.threshold.items()]
    parts += [table(("observed", "value"), [("count", f"{result.count:,}"), *rows])]
    if result.fix:
        parts += ["Its advice: " + prose(inspect.cleandoc(result.fix), "./")]
    return parts


def _value(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_value(item)}" for key, item in value.items())
    return prose(str(value))
