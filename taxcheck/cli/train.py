"""taxcheck train: the gate, the training, the audit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxcheck.cli.options import WORKERS, takes_request
from taxcheck.cli.push import pusher, service_options
from taxcheck.cli.streams import aside, say
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.presets import PRESETS
from taxcheck.engine.settings import choices, kinds, plain

if TYPE_CHECKING:
    from taxcheck.commands.train.story import Watcher
    from taxcheck.integrations.push import Pushed, Pusher
    from taxcheck.run.request import Request

_TITLE = "Name of the run in the reports; default: the folder's."

# What every key of a TrainConfig means, in the groups of the help.
GROUPS: dict[str, dict[str, str]] = {
    "The table": {
        "dim": "Dimension of the space; a Lorentz row has one number more.",
        "geometry": "Space that rows are points of.",
        "dtype": "Numbers that rows are made of.",
        "max_norm": "Clip of ball rows.",
        "max_radius": "Largest radius of tangent and Lorentz rows; 0: what the dtype can hold.",
        "table_from": "What sizes the table; a table from pairs lacks nodes beyond them.",
    },
    "Where rows start": {
        "init": "Nested, cones: by the hierarchy; depth-aware: radii alone; uniform: a box.",
        "init_min": "Depth-aware: ball norm of the roots.",
        "init_max": "Depth-aware: ball norm of the deepest nodes.",
        "init_scale": "Uniform: coordinates lie in [-scale, scale].",
        "cone_step": "Cones: hyperbolic step from a parent at depth 8.",
        "cone_growth": "Cones: the step grows so each level below, up to depth 12.",
        "cone_radius": "Cones: radii are scaled so that this is the largest.",
        "nested_step": "Nested: radius gained with each level of depth.",
        "nested_radii": "Nested: radii by depth, over nested_step: 0:0,3:20,12:34.",
    },
    "Objective": {
        "loss": "Softmax over a positive and its negatives, or a margin between them.",
        "margin": "Margin: by how much nearer than a negative a positive must be.",
        "temperature": "Softmax: distances are divided by it.",
        "lambda_reg": "Weight of the pull of each row to the radius of its depth.",
        "lambda_schedule": "Weights by first epoch, over lambda_reg: 0:0,50:0.01.",
        "depth_weight": "A pair's loss is weighted by depth_diff ** -this.",
        "source_weight": "What weighs the same: each pair, or each descendant.",
    },
    "Draws": {
        "grouping": "Sources: the positives of one descendant share their negatives.",
        "anchor": "The end of a pair that is held against negatives; ancestor: of pairs alone.",
        "balance": "How draws are spread over the distances of pairs.",
        "depth1_factor": "Oversample: parent-child pairs count so often.",
        "balance_temperature": "Temperature: share of a distance ~ count ** (1 / this).",
        "depth_cap": "Pairs of a larger distance are left out; 0: none.",
        "curriculum": "Distances by last epoch, all of them later: 20:1-2,50:1-5.",
        "negatives": "Negatives of a source, drawn with replacement.",
        "degree_share": "Share of them drawn as often as they are ancestors.",
        "hard_share": "Share of them drawn at the source's depth, never related to it.",
    },
    "Refinement, the end of a run": {
        "refine": "Share of a run in which the nearest candidates join the negatives; 0: never.",
        "refine_lr": "Learning rate there, falling as lr does before.",
        "refine_temperature": "Temperature there.",
        "refine_nearest": "At most so many candidates of each source.",
        "refine_window": "So many temperatures beyond its farthest positive.",
    },
    "Optimizer": {
        "optimizer": "How gradients become steps; rsgd is Riemannian.",
        "lr": "Learning rate.",
        "lr_schedule": "Constant, or falling to 0 in a line.",
        "burn_in": "First epochs, at a lower learning rate.",
        "burn_in_factor": "How much of it they have.",
        "batch_size": "Torch: pairs whose gradients are summed; the kernel steps by source.",
    },
    "How long, and what is kept": {
        "epochs": "Passes over the pairs.",
        "max_seconds": "Be done after so many seconds, gate and audit aside; 0: no limit.",
        "early_stopping": "Stop after so many evaluations without improvement; 0: never.",
        "min_delta": "Gain that counts as improvement.",
        "best_from": "So many epochs are done before a table can be the best, or patience waits.",
        "evaluate_every": "Epochs between evaluations.",
        "evaluate_sources": "Descendants that an evaluation ranks.",
        "keep_last": "Checkpoints that are kept beside the best.",
    },
    "The machine": {
        "backend": "Numba: a fused kernel on the CPU; torch: any device.",
        "device": "Where torch computes: cpu, cuda, cuda:1, mps.",
        "workers": "Threads of the kernel; 1 is deterministic; 0: all.",
        "seed": "Of everything that is drawn.",
    },
}
MEANINGS = {key: meaning for keys in GROUPS.values() for key, meaning in keys.items()}
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


def _pushing(
    live: Watcher, service: Pusher, request: Request, settings: TrainConfig, out: Path
) -> Watcher:
    """The same, and pushes; it says what becomes of that where it is news."""
    from taxcheck.integrations.training import PushingWatcher

    told: list[str] = []

    def tell(done: Pushed) -> None:
        if done.state not in told[-1:]:
            aside(done.line)
        told.append(done.state)

    return PushingWatcher(live, service, request, settings, out, tell)


def _begun(out: Path, resume: bool, **_: object) -> Request | None:
    from taxcheck.commands.train.record import recorded_request

    return recorded_request(out) if resume else None


@click.command(
    cls=GroupedCommand,
    epilog="Exit codes: 0 the audit passed or warned, 1 the gate refused the data, the audit "
    "failed or training diverged, 2 usage, policy or settings, 3 an input cannot be read or the "
    "folder not be written, 4 taxcheck itself broke, 130 and 143 stopped by a signal.",
)
@takes_request(
    "mapping", "pairs", "held_out", "taxonomy", "memory", "title", begun=_begun, title=_TITLE
)
@click.option("--out", required=True, metavar="FOLDER", type=Path, help="What the run leaves.")
@click.option("--preset", metavar="NAME", help="One of those below.  [default]")
@click.option("--config", metavar="FILE", type=Path, help="TOML with any of the keys below.")
@click.option("--force", is_flag=True, help="Train though the gate fails; the record says so.")
@click.option("--resume", is_flag=True, help="Continue the run in --out, as it was begun.")
@service_options
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@key_options
def train(
    request: Request,
    out: Path,
    preset: str | None,
    config: Path | None,
    force: bool,
    resume: bool,
    quiet: bool,
    to: str | None,
    project: str | None,
    dataset: str | None,
    **keys: str | None,
) -> None:
    """Check the data, train on it, audit the table: one command, one folder.

    Data that the gate fails is not trained on unless --force is given. What decides: the preset,
    then --config, then the options.
    """
    from dataclasses import replace

    from taxcheck.cli.live import Live
    from taxcheck.commands.train.record import recorded_config
    from taxcheck.commands.train.story import follow
    from taxcheck.commands.train.story import train as run
    from taxcheck.engine.presets import find, load, resolve
    from taxcheck.engine.processes import rank_and_world
    from taxcheck.model.errors import UsageError

    given = {key: value for key, value in keys.items() if value is not None}
    if resume and (preset or config):
        raise UsageError(
            "--resume continues with the run's own settings: leave --preset and --config out, "
            "and change single keys by their options"
        )
    chosen = find(preset or "default")
    settings = recorded_config(out, given) if resume else resolve(chosen.name, config, given)
    if rank_and_world()[0]:  # one of the others that torchrun started
        sys.exit(follow(settings))
    request = replace(
        request,
        workers=min(settings.workers or WORKERS, 64),
        seed=settings.seed,
        title=request.title or out.name,
    )
    service = pusher(request.policy, to, project, dataset)
    with Live(quiet=quiet) as live:
        outcome = run(
            request,
            out,
            settings,
            preset=chosen.name,
            force=force,
            resume=resume,
            watcher=live if service is None else _pushing(live, service, request, settings, out),
            given=[*given, *(load(config) if config else ())],
        )
    if outcome.trained is None and not quiet:
        say("Not trained: mend the data, or give --force and have the record say so.")
    sys.exit(outcome.exit_code)
