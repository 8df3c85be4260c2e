"""taxcheck build: from a published hierarchy to training data that passes the gate."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from pathlib import Path

import click

FORMATS = (
    "auto", "taxdump", "ncbi", "gtdb", "edges", "newick", "obo", "obograph", "wordnet", "lineage",
)  # fmt: skip


@click.command()
@click.argument("source")
@click.option("--out", required=True, metavar="FOLDER", type=Path, help="New or empty.")
@click.option("--root", metavar="NAME|ID", help="Take this node and what is below it.")
@click.option("--clean", is_flag=True, help="Leave out taxa named as noise (MAP008), re-parent.")
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
@click.option("--namespace", metavar="LIST", help="Of an ontology; default all.")
@click.option("--columns", metavar="ROLES", help="child=COLUMN,parent=COLUMN, or the rank columns.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="auto", show_default=True)
@click.option("--force", is_flag=True, help="Replace what an earlier build left in the folder.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def build(
    source: str,
    out: Path,
    root: str | None,
    clean: bool,
    max_depth: int | None,
    pairs: str,
    split: float | None,
    seed: int,
    relations: str | None,
    namespace: str | None,
    columns: str | None,
    format_: str,
    force: bool,
    quiet: bool,
) -> None:
    """Make a mapping, training pairs and a policy from a taxonomy or an ontology.

    SOURCE is an NCBI taxdump (folder, .tar.gz, .zip), the word ncbi (extra ncbi), a GTDB taxonomy
    file, a table of child and parent, Newick, OBO, OBO Graph JSON, WordNet's data.noun, or a table
    with one column a rank. What is built is held to the gate before it gets its name.
    """
    from taxcheck.build.dataset import Plan
    from taxcheck.build.dataset import build as make
    from taxcheck.errors import UsageError

    if split is not None and not 0 < split < 1:
        raise UsageError(f"--split {split:g}: give a share between 0 and 1, such as 0.1")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    plan = Plan(
        source=source,
        out=out,
        format=format_,
        root=root,
        clean=clean,
        max_depth=max_depth,
        pairs=pairs,
        split=split,
        seed=seed,
        relations=_listed(relations),
        namespaces=_listed(namespace),
        columns=columns,
        force=force,
        workers=min(os.cpu_count() or 1, 8),
        command=shlex.join(["taxcheck", *sys.argv[1:]]),
    )
    shown = sys.stderr.isatty() and not quiet
    built = make(plan, (lambda stage: click.echo(f"{stage} ...", err=True)) if shown else _silent)
    if not quiet:
        for line in built.lines:
            click.echo(line)
        click.echo(f"written: {out}")
        for file in built.manifest["files"]:  # type: ignore[attr-defined]
            click.echo(f"  {file}")


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _silent(_: str) -> None:
    pass
