"""taxcheck rules, explain, schema: what taxcheck knows, for reading."""

from __future__ import annotations

import click


@click.command()
def rules() -> None:
    """List every rule: id, defect, default severity, what it is."""
    from taxcheck.registry import load_rules

    for rule in load_rules():
        click.echo(f"{rule.id:9}{rule.name:26}{rule.severity:6}{rule.document.summary}")


@click.command()
@click.argument("wanted", metavar="RULE")
def explain(wanted: str) -> None:
    """Explain one rule in full, by its id or its name."""
    from taxcheck.registry import find_rule

    rule = find_rule(wanted)
    document = rule.document
    click.echo(f"{rule.id} {rule.name} (default: {rule.severity})\n\n{document.summary}")
    for heading, text in (
        ("Why it matters", document.why),
        ("How to fix", document.fix),
        ("Known exceptions", document.exceptions),
        ("References", document.references),
    ):
        click.echo(f"\n{heading}\n{_indented(text)}")
    if rule.thresholds:
        click.echo("\nThresholds (policy keys under [rules." + rule.id + "])")
        for key, threshold in rule.thresholds.items():
            click.echo(f"  {key} = {threshold.default:g}: {threshold.meaning}")
            click.echo(f"      calibrated on {threshold.calibrated_on}")
    if rule.caused_by:
        click.echo("\nExplained by\n  " + ", ".join(rule.caused_by))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())


@click.command()
def schema() -> None:
    """Print the contract of the inputs: columns, types and checks of mapping and pairs."""
    import json

    from taxcheck.schemas.contract import contract

    click.echo(json.dumps(contract(), indent=2))
