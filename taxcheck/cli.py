"""The command line: parse, call, print. What a command needs is imported when it runs."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxcheck import __version__
from taxcheck.errors import TaxcheckError

if TYPE_CHECKING:
    from taxcheck.pipeline import Progress

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=_CONTEXT)
@click.version_option(__version__, message="taxcheck %(version)s")
def cli() -> None:
    """Prove that the training data of a hierarchical embedding is sound, or say what is wrong.

    Exit codes: 0 passed or warned, 1 a rule failed, 2 usage or policy, 3 an input cannot be read
    or nothing could be judged, 4 a rule or renderer broke.
    """


@cli.command()
@click.option("--mapping", metavar="FILE", help="Table of identifier -> idx; - is standard input.")
@click.option("--pairs", metavar="FILE", help="Training pairs (ancestor, descendant).")
@click.option("--held-out", metavar="FILE", help="Held-out pairs, checked for leaks.")
@click.option("--taxonomy", metavar="FOLDER", help="NCBI taxdump: names, ranks, true ancestry.")
@click.option("--policy", metavar="FILE", type=Path, help="taxcheck.toml or a pyproject.toml.")
@click.option(
    "--mapping-columns",
    metavar="ROLES",
    help="Columns of the mapping, in order (taxid,idx) or by name (taxid=label,idx=row).",
)
@click.option(
    "--pair-columns",
    metavar="ROLES",
    help="Columns of the pairs, in order (ancestor,descendant,depth_diff) or by name.",
)
@click.option("--html", metavar="FILE", help="Write the report for people.")
@click.option("--json", "json_", metavar="FILE", help="Write the report for machines; - prints it.")
@click.option("--failures", metavar="FOLDER", type=Path, help="Write all offending rows (Parquet).")
@click.option(
    "--fail-on",
    type=click.Choice(["fail", "warn"]),
    default="fail",
    show_default=True,
    help="The mildest outcome that exits with 1.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=min(os.cpu_count() or 1, 8),
    show_default="processors, at most 8",
    help="Threads that fold the data; the result does not depend on it.",
)
@click.option("--title", help="Name of the run in the report; default: the pairs' file name.")
@click.option("-v", "--verbose", is_flag=True, help="List every rule, not only what was found.")
def run(
    mapping: str | None,
    pairs: str | None,
    held_out: str | None,
    taxonomy: str | None,
    policy: Path | None,
    mapping_columns: str | None,
    pair_columns: str | None,
    html: str | None,
    json_: str | None,
    failures: Path | None,
    fail_on: str,
    workers: int,
    title: str | None,
    verbose: bool,
) -> None:
    """Check a mapping and its training pairs.

    Reads Parquet, Feather, CSV and TSV (plain, gzip, zstd) and pickled lists of dicts. Columns
    are found by name, or given by --mapping-columns and --pair-columns. Pairs that hold labels
    need no mapping.
    """
    from taxcheck.config import load_policy
    from taxcheck.pipeline import Request, check
    from taxcheck.registry import load_rules
    from taxcheck.rule import Outcome

    request = Request(
        mapping=mapping,
        pairs=pairs,
        held_out=held_out,
        taxonomy=taxonomy,
        mapping_columns=mapping_columns,
        pair_columns=pair_columns,
        policy=load_policy(policy, load_rules()),
        workers=workers,
        failures=failures,
        fail_on=Outcome(fail_on),
        command=shlex.join(["taxcheck", *sys.argv[1:]]),
        title=title,
    )
    with _progress() as progress:
        report = check(request, progress)
    outputs = {"html": html, "json": json_}
    quiet = "-" in outputs.values()
    _render(report, outputs, terminal=not quiet, verbose=verbose)
    sys.exit(report.exit_code)


def _render(report: object, outputs: dict[str, str | None], terminal: bool, verbose: bool) -> None:
    import shutil

    from taxcheck.errors import BrokenError
    from taxcheck.output import write_text
    from taxcheck.registry import load_renderers
    from taxcheck.report import RenderOptions, Report

    assert isinstance(report, Report)
    renderers = load_renderers()
    options = RenderOptions(
        color=sys.stdout.isatty() and "NO_COLOR" not in os.environ,
        width=min(shutil.get_terminal_size((100, 25)).columns, 120),
        verbose=verbose,
    )
    wanted = {name: path for name, path in outputs.items() if path is not None}
    if terminal:
        wanted = {"terminal": "-"} | wanted
    for name, path in wanted.items():
        try:
            text = renderers[name](report, options)
        except Exception as error:
            raise BrokenError(
                f"the {name} renderer broke ({type(error).__name__}: {error}); "
                "please report this with the command that showed it"
            ) from error
        write_text(path, text)
    for name, path in wanted.items():
        if path != "-" and terminal:
            click.echo(f"{name}: {path}")


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A progress bar for long reads, on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, TaskID] = {}

    def told(stage: str, done: int, whole: int) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(f"reading {stage}", total=whole)
        bars.update(tasks[stage], completed=done, total=whole)

    with bars:
        yield told


@cli.command()
def rules() -> None:
    """List every rule: id, defect, default severity, what it is."""
    from taxcheck.registry import load_rules

    for rule in load_rules():
        click.echo(f"{rule.id:9}{rule.name:26}{rule.severity:6}{rule.document.summary}")


@cli.command()
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


@cli.command()
def schema() -> None:
    """Print the contract of the inputs: columns, types and checks of mapping and pairs."""
    import json

    from taxcheck.schemas.contract import contract

    click.echo(json.dumps(contract(), indent=2))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every error that a user can mend is one line, without traceback."""
    try:
        cli.main(args=arguments, standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.UsageError as error:
        _complain(error.format_message(), hint=f"see `{_command(error)} --help`")
        sys.exit(2)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _complain("interrupted; nothing was written")
        sys.exit(130)
    except TaxcheckError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except MemoryError:
        _complain("out of memory; give fewer --workers, or a machine with more")
        sys.exit(3)
    except Exception as error:
        if "TAXCHECK_TRACEBACK" in os.environ:
            raise
        _complain(
            f"taxcheck itself broke ({type(error).__name__}: {_one_line(error)}); set "
            "TAXCHECK_TRACEBACK=1 to see where, and report it"
        )
        sys.exit(4)


def _command(error: click.UsageError) -> str:
    return error.ctx.command_path if error.ctx else "taxcheck"


def _one_line(error: object) -> str:
    return " ".join(str(error).split())


def _complain(message: str, hint: str = "") -> None:
    text = _one_line(message).rstrip(".")
    click.echo(f"taxcheck: {text}{'; ' + hint if hint else ''}", err=True)


if __name__ == "__main__":
    main()
