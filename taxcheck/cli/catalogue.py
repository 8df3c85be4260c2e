"""taxcheck rules, explain, schema: what taxcheck knows, for reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taxcheck.cli.streams import say

if TYPE_CHECKING:
    from taxcheck.model.rule import Document


@click.command()
def rules() -> None:
    """List every rule: id, defect, default severity, what it is; then every cause."""
    from taxcheck.run.registry import load_causes, load_rules

    for rule in load_rules():
        say(f"{rule.id:9}{rule.name:26}{rule.severity:6}{_first(rule.document.summary)}")
    say("\nCauses, which explain what rules find:")
    for cause in load_causes():
        say(f"{cause.name:26}{_first(cause.document.summary)}")


def _first(summary: str) -> str:
    return " ".join(summary.split("\n\n")[0].split())


@click.command()
@click.argument("wanted", metavar="RULE|CAUSE")
@click.option(
    "--example", metavar="FOLDER", help="Write its smallest data instead: FOLDER/ok, FOLDER/bad."
)
def explain(wanted: str, example: str | None) -> None:
    """Explain one rule in full, by its id or its name, or a cause by its name."""
    from taxcheck.run.registry import find_rule, load_causes

    cause = next((one for one in load_causes() if one.name == wanted.casefold()), None)
    if cause is not None and cause.found_by is None and example is None:
        _explain(f"{cause.name}, a cause", cause.document)
        return
    rule = find_rule(wanted)
    if example is not None:
        _write_example(rule.id, example)
        return
    _explain(f"{rule.id} {rule.name} (default: {rule.severity})", rule.document)
    if rule.thresholds:
        say("\nThresholds (policy keys under [rules." + rule.id + "])")
        for key, threshold in rule.thresholds.items():
            say(f"  {key} = {threshold.default:g}: {threshold.meaning}")
            say(f"      calibrated on {threshold.calibrated_on}")
    if rule.caused_by:
        say("\nExplained by\n  " + ", ".join(rule.caused_by))


def _explain(title: str, document: Document) -> None:
    say(f"{title}\n\n{document.summary}")
    for heading, text in (
        ("Why it matters", document.why),
        ("How to fix", document.fix),
        ("Known exceptions", document.exceptions),
        ("References", document.references),
    ):
        say(f"\n{heading}\n{_indented(text)}")


def _write_example(rule: str, folder: str) -> None:
    from pathlib import Path

    from taxcheck.commands.selftest.cases import load_cases
    from taxcheck.model.errors import OutputError, UsageError

    case = load_cases().of_rule.get(rule)
    if case is None:
        raise UsageError(f"{rule} has no example")
    try:
        case.write(Path(folder))
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from None
    say(f"{folder}/ok is sound; {folder}/bad is not: {case.why}")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())


@click.command()
@click.argument("what", type=click.Choice(["inputs", "report", "comparison"]), default="inputs")
def schema(what: str) -> None:
    """Print the contract of the inputs, or the JSON Schema of a report or a comparison.

    The contract has the columns, types and checks of mapping and pairs.
    """
    import json

    if what == "inputs":
        from taxcheck.sources.schemas import contract as made
    elif what == "report":
        from taxcheck.model.schema import report_schema as made
    else:
        from taxcheck.commands.compare.comparison import comparison_schema as made
    say(json.dumps(made(), indent=2))
