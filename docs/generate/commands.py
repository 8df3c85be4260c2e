"""A page for every command: what it is for, its arguments, and every option as click knows it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from docs.generate.markdown import Page, code, prose, table
from taxcheck.cli import cli
from taxcheck.cli.train import GROUPS
from taxcheck.engine.presets import PRESETS

FOLDER = "reference/commands/"
# Where the work that a command is for is told.
TOLD = {
    "build": ("how-to/build-your-source.md", "build.md"),
    "compare": ("how-to/compare-runs.md", "compare.md"),
    "evaluate": ("how-to/audit-gensim.md", "explanation/metrics.md"),
    "explain": ("reference/rules/index.md",),
    "explore": ("how-to/explore-a-table.md",),
    "fix": ("how-to/repair-the-incident.md", "fix.md"),
    "init": ("how-to/write-a-policy.md", "reference/policy.md"),
    "inspect": ("how-to/audit-gensim.md",),
    "push": ("how-to/push-from-ci.md",),
    "rules": ("reference/rules/index.md",),
    "run": ("tutorial.md", "how-to/gate-in-ci.md", "reference/exit-codes.md"),
    "schema": ("reference/inputs.md",),
    "selftest": ("how-to/write-a-rule.md", "compare.md"),
    "serve": ("how-to/set-up-the-service.md",),
    "token": ("how-to/set-up-the-service.md",),
    "train": ("how-to/train.md", "training.md"),
    "why": ("how-to/audit-gensim.md",),
    "worker": ("how-to/set-up-the-service.md",),
}
_DEFAULT = re.compile(r"\s*\[([^\[\]]*)\]$")


def pages() -> Iterator[Page]:
    """The list of all commands, and a page for each."""
    yield Page(f"{FOLDER}index.md", _index())
    for name, command in cli.commands.items():
        yield Page(f"{FOLDER}{name}.md", page(name, command))


def navigation() -> list[object]:
    """The entries of the commands, in the order of ``taxcheck --help``."""
    names = [{f"taxcheck {name}": f"{FOLDER}{name}.md"} for name in cli.commands]
    return [f"{FOLDER}index.md", *names]


def _index() -> str:
    rows = [
        (f"[`taxcheck {name}`]({name}.md)", prose(command.get_short_help_str(limit=200)))
        for name, command in cli.commands.items()
    ]
    return "\n\n".join(
        (
            "# Commands",
            prose(inspect.cleandoc(cli.help or "").split("\n\n")[0]),
            table(("command", "what it does"), rows),
            "`taxcheck --version` tells the version; `-h` or `--help` after any command lists its "
            "options. How commands end is on [one page](../exit-codes.md) for all of them.",
        )
    )


def page(name: str, command: click.Command) -> str:
    """The page of one command."""
    context = click.Context(command, info_name=f"taxcheck {name}", max_content_width=100)
    parameters = {p.name: p for p in command.get_params(context)}
    keys = {key for group in GROUPS.values() for key in group} if name == "train" else set()
    usage = " ".join(command.collect_usage_pieces(context))
    parts = [f"# taxcheck {name}", prose(inspect.cleandoc(command.help or ""))]
    parts += [f"```text\ntaxcheck {name} {usage}\n```"]
    parts += [f"More in {_links(TOLD.get(name, ()))}." if name in TOLD else ""]
    own = [p for key, p in parameters.items() if key not in keys]
    parts += ["## Options", *_options(own, context)]
    if name == "train":
        for group, members in GROUPS.items():
            parts += [f"## {group}", *_options((parameters[key] for key in members), context)]
        rows = [(code(p.name), prose(p.description)) for p in PRESETS.values()]
        parts += ["## Presets", table(("`--preset`", "what it is"), rows)]
    if command.epilog:
        parts += ["## How it ends", prose(command.epilog)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _options(parameters: Iterable[click.Parameter], context: click.Context) -> Iterator[str]:
    for parameter in parameters:
        if (record := parameter.get_help_record(context)) is None:
            continue
        names, text = record
        default = _DEFAULT.search(text)
        said = prose(_DEFAULT.sub("", text)) or "See the command's own words above."
        if default:
            said += f" Default: {code(default[1].removeprefix('default: '))}."
        if isinstance(parameter, click.Option) and parameter.required:
            said = said.replace(" Default: `required`.", "") + " Required."
        yield f"{code(names)}{{ #{parameter.name} }}\n:   {said}"


def _links(targets: Iterable[str]) -> str:
    return ", ".join(f"[{_title(target)}](../../{target})" for target in targets)


def _title(target: str) -> str:
    """The heading of a written page; of a made one the words of its path."""
    page = Path("docs") / target
    if page.exists():
        return page.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
    return target.removesuffix(".md").removesuffix("/index").split("/")[-1].capitalize()
