"""taxcheck train: the gate, the training, the audit."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import click

from taxcheck.cli.table import column_options
from taxcheck.cli.train_keys import GROUPS, MEANINGS
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.presets import PRESETS
from taxcheck.engine.settings import choices, kinds, plain

_METAVARS = {int: "N", float: "X", str: "TEXT"}


def key_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for every key of a TrainConfig; what is not given stays as preset and file say."""
    defaults = plain(TrainConfig())
    for field in reversed(fields(TrainConfig)):
        words = choices(field.name)
        default = defaults[field.name]
        shown = f"{default:g}" if isinstance(default, float) else str(default)
        command = click.option(
            f"--{field.name.replace('_', '-')}",
            field.name,
            type=click.Choice(words) if words else str,
            metavar=None if words else _METAVARS.get(kinds()[field.name], "TEXT"),
            help=f"{MEANINGS[field.name]}  [{shown or 'none'}]",
        )(command)
    return command


class GroupedCommand(click.Command):
    """Help in groups, with every preset and what it is for."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Options of the run first, then the keys in their groups."""
        records = {
            parameter.name: record
            for parameter in self.get_params(ctx)
            if (record := parameter.get_help_record(ctx)) is not None
        }
        groups = {name: list(keys) for name, keys in GROUPS.items()}
        run = [name for name in records if name not in MEANINGS]
        for name, members in {"Options": run, **groups}.items():
            with formatter.section(name):
                formatter.write_dl([records[member] for member in members])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The presets; then what there is to say at the end."""
        with formatter.section("Presets"):
            formatter.write_dl([(p.name, p.description) for p in PRESETS.values()])
        super().format_epilog(ctx, formatter)


@click.command(
    cls=GroupedCommand,
    epilog="Exit codes: 0 the audit passed or warned, 1 the gate refused the data, the audit "
    "failed or training diverged, 2 usage, policy or settings, 3 an input cannot be read or the "
    "folder not be written, 4 taxcheck itself broke, 130 and 143 stopped by a signal.",
)
@click.option("--mapping", metavar="FILE", help="Table of identifier -> idx.")
@click.option("--pairs", required=True, metavar="FILE", help="Training pairs.")
@click.option("--out", required=True, metavar="FOLDER", type=Path, help="What the run leaves.")
@click.option("--taxonomy", metavar="FOLDER", help="NCBI taxdump: names, ranks, true ancestry.")
@click.option("--preset", metavar="NAME", help="One of those below.  [default]")
@click.option("--config", metavar="FILE", type=Path, help="TOML with any of the keys below.")
@click.option("--policy", metavar="FILE", type=Path, help="Of the gate and of the audit.")
@click.option("--force", is_flag=True, help="Train though the gate fails; the record says so.")
@click.option("--resume", is_flag=True, help="Continue the run in --out, with its own settings.")
@click.option("--title", help="Name of the run in the reports; default: the folder's.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@column_options
@key_options
def train(
    mapping: str | None,
    pairs: str,
    out: Path,
    taxonomy: str | None,
    preset: str | None,
    config: Path | None,
    policy: Path | None,
    force: bool,
    resume: bool,
    title: str | None,
    quiet: bool,
    mapping_columns: str | None,
    pair_columns: str | None,
    **keys: str | None,
) -> None:
    """Check the data, train on it, audit the table: one command, one folder.

    Data that the gate fails is not trained on unless --force is given. What decides: the preset,
    then --config, then the options.
    """
    from taxcheck.cli.live import Live
    from taxcheck.config import load_policy
    from taxcheck.engine.peers import placed
    from taxcheck.engine.presets import find, resolve
    from taxcheck.errors import UsageError
    from taxcheck.registry import load_rules
    from taxcheck.request import Request
    from taxcheck.training import follow, run
    from taxcheck.training_record import recorded_config

    given = {key: value for key, value in keys.items() if value is not None}
    if resume and (preset or config):
        raise UsageError(
            "--resume continues with the run's own settings: leave --preset and --config out, "
            "and change single keys by their options"
        )
    chosen = find(preset or "default")
    settings = recorded_config(out, given) if resume else resolve(chosen.name, config, given)
    if placed()[0]:  # one of the others that torchrun started
        sys.exit(follow(settings))
    request = Request(
        mapping=mapping,
        pairs=pairs,
        taxonomy=taxonomy,
        mapping_columns=mapping_columns,
        pair_columns=pair_columns,
        policy=load_policy(policy, load_rules()),
        workers=min(settings.workers or min(os.cpu_count() or 1, 8), 64),
        seed=settings.seed,
        command=shlex.join(["taxcheck", *sys.argv[1:]]),
        title=title or out.name,
    )
    with Live(quiet=quiet) as watcher:
        outcome = run(
            request,
            out,
            settings,
            preset=chosen.name,
            force=force,
            resume=resume,
            watcher=watcher,
        )
    if outcome.trained is None and not quiet:
        click.echo("Not trained: mend the data, or give --force and have the record say so.")
    sys.exit(outcome.exit_code)
