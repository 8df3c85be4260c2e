"""taxcheck push, and how other commands push what they find."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxcheck.cli.options import Command
from taxcheck.cli.streams import aside, say

if TYPE_CHECKING:
    from taxcheck.integrations.push import Pusher
    from taxcheck.model.report import Report
    from taxcheck.policy.model import Policy

_BUDGET = 600.0  # seconds for all that waits


def service_options(command: Command) -> Command:
    """The options that say where runs are pushed: --to, --project, --dataset."""
    for name, metavar, text in (
        ("dataset", "NAME", "Dataset of the project there."),
        ("project", "NAME", "Project there."),
        ("to", "URL", "Push to the service there. TAXCHECK_TOKEN holds the token."),
    ):
        command = click.option(
            f"--{name}",
            metavar=metavar,
            envvar=f"TAXCHECK_{name.upper()}",
            show_envvar=True,
            help=text,
        )(command)
    return command


def pusher(
    policy: Policy | None, to: str | None, project: str | None, dataset: str | None
) -> Pusher | None:
    """What pushes the runs of a command; None where nothing names a service.

    UsageError where that is incomplete or wrong, before anything is read.
    """
    if not to:
        return None
    from taxcheck.integrations.push import pusher_of

    return pusher_of(to, project, dataset, policy=policy)


def pushed(pusher: Pusher | None, report: Report) -> None:
    """Push a report, and say in one line what became of it; the command goes on as without."""
    if pusher is None:
        return
    try:
        line = pusher.push(report).line
    except KeyboardInterrupt:
        line = "not pushed: interrupted; the next push sends the run"
    aside(line)


@click.command()
@click.argument("reports", nargs=-1, metavar="[REPORT.json]...")
@service_options
def push(reports: tuple[str, ...], **where: str | None) -> None:
    """Push reports of `taxcheck run --json` to a service, after the runs that wait in the outbox.

    A report that is there already stays one run. Without reports only what waits is sent.

    Exit codes: 0 all are there, 2 usage, 3 a report cannot be read, was refused, or waits.
    """
    from taxcheck.commands.compare.compare import read_report
    from taxcheck.integrations.push import pusher_of, send_waiting
    from taxcheck.model.errors import UsageError
    from taxcheck.policy.read import load_policy
    from taxcheck.run.registry import cause_names, load_rules

    if not reports and where["to"]:
        left, line = send_waiting(where["to"], _BUDGET)
        (aside if left else say)(line)
        sys.exit(3 if left else 0)
    policy = load_policy(None, load_rules(), cause_names())
    pusher = pusher_of(**where, policy=policy, budget=_BUDGET)
    if pusher is None:
        raise UsageError("nothing says where to push: give `to`, or set TAXCHECK_TO")
    for path in reports:  # one that is none is told before any is sent
        read_report(path)
    states = set()
    for path in reports:
        done = pusher.push(Path(path).read_bytes())
        states.add(done.state)
        (say if done.state == "sent" else aside)(f"{path}: {done.line}")
    sys.exit(0 if states == {"sent"} else 3)
