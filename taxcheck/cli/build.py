"""taxcheck build: from a published hierarchy to training data that passes the gate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from taxcheck.cli.apart import expect_apart
from taxcheck.cli.options import WORKERS, as_typed, request_options, typed
from taxcheck.cli.output import progress_lines
from taxcheck.cli.streams import aside, say
from taxcheck.sources.readers import own, readers

FORMATS = ("auto", *(reader.name for reader in own("taxonomy")))


class Format(click.Choice):  # type: ignore[type-arg]
    """Our own formats, and those of plugins, which are loaded only where one of them is asked."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name of a format; of one that there is not, click says which there are."""
        if value not in FORMATS:
            self.choices = ("auto", *(reader.name for reader in readers("taxonomy")))
        name: str = super().convert(value, param, ctx)
        return name


@click.command()
@click.argument("source")
@click.option("--out", required=True, metavar="FOLDER", type=Path, help="New or empty.")
@click.option("--root", metavar="NAME|ID", help="Take this node and what is below it.")
@click.option("--clean", is_flag=True, help="Leave out taxa named as noise, re-parent.")
@click.option(
    "--max-depth",
    type=click.IntRange(1),
    metavar="N",
    help="Leave out nodes more than N levels below the root.",
)
@click.option(
    "--pairs",
    default="closure",
    show_default=True,
    metavar="closure|edges|depth<=K",
    help="Every ancestor of a node, its parents, or those up to K levels above.",
)
@click.option("--split", type=float, metavar="SHARE", help="Hold out pairs, without leaks.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the split.")
@click.option("--relations", metavar="LIST", help="Of an ontology; default is_a.")
@click.option("--namespace", "namespaces", metavar="LIST", help="Of an ontology; default all.")
@click.option("--language", metavar="TAG", help="Of the labels of SKOS or OWL; default en.")
@click.option("--columns", metavar="ROLES", help="child=COLUMN,parent=COLUMN, or the rank columns.")
@click.option(
    "--inner-labels",
    type=click.Choice(["names", "support"]),
    help="What numbers at the inner nodes of a tree are; default by what they are.",
)
@click.option("--format", type=Format(FORMATS), default="auto", show_default=True)
@request_options(
    "engine",
    engine="Who closes the hierarchy: threads; dask (a cluster on this machine), or the address of "
    "a Dask scheduler (tcp://host:8786); spark. The pairs are the same.",
)
@click.option("--force", is_flag=True, help="Replace what an earlier build left in the folder.")
@click.option("--json", "json_", metavar="FILE", help="Write the gate's report for machines.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def build(
    relations: str | None, namespaces: str | None, json_: str | None, quiet: bool, **asked: Any
) -> None:
    """Make a mapping, training pairs and a policy from a taxonomy or an ontology.

    SOURCE is of one of the formats below, by default of the one that its content tells. What is
    built is held to the gate before it gets its name.
    """
    from taxcheck.commands.build.dataset import BuildRequest
    from taxcheck.commands.build.dataset import build as make
    from taxcheck.model.errors import UsageError

    split = asked["split"]
    if split is not None and not 0 < split < 1:
        raise UsageError(f"`split` {split:g}: give a share between 0 and 1, such as 0.1")
    plan = BuildRequest(
        **asked,
        relations=_listed(relations),
        namespaces=_listed(namespaces),
        workers=WORKERS,
        command=typed(),
    )
    shown, tell = sys.stderr.isatty() and not quiet, progress_lines()

    def told(stage: str) -> None:
        if shown:
            aside(f"{stage} ...")
        if tell is not None:
            tell(stage, 0, 0)

    expect_apart([json_], [plan.source])
    built = make(plan, told)
    if json_ is not None:
        from taxcheck.files import write_text
        from taxcheck.model.report import RenderOptions
        from taxcheck.run.registry import load_renderers

        write_text(json_, load_renderers()["json"](built.report, RenderOptions()))
    if not quiet and json_ != "-":
        for line in built.lines:
            say(as_typed(line))
        say(f"written: {plan.out}")
        for file in built.manifest["files"]:  # type: ignore[attr-defined]
            say(f"  {file}")


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())
