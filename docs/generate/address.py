"""Where taxcheck is published, as the README and the pages say it: ``[project.urls] Repository``.

As long as that is not set, blocks show what works without an address, and say so. After it was set,
or the version changed, ``python -m docs.generate.address`` writes all of them anew; a test holds
that they are.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import yaml

from taxcheck import __version__

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"<!-- address: (\w+) -->\n.*?<!-- end of address -->\n", re.S)
_GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?")
_NOWHERE = "taxcheck is published at no address yet (`[project.urls]` of its `pyproject.toml`):"


def address() -> str | None:
    """The address of the repository; None where it is not set."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: str | None = project.get("urls", {}).get("Repository")
    return found


def pages() -> list[Path]:
    """What has such blocks."""
    every = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    return [path for path in every if _BLOCK.search(path.read_text(encoding="utf-8"))]


def filled(text: str, repository: str | None) -> str:
    """A page with its blocks made anew; KeyError where one has an unknown name."""

    def made(block: re.Match[str]) -> str:
        return (
            f"<!-- address: {block[1]} -->\n{_MADE[block[1]](repository)}<!-- end of address -->\n"
        )

    return _BLOCK.sub(made, text)


def _install(repository: str | None) -> str:
    clone = f"$ git clone {repository} taxcheck\n$ cd taxcheck\n" if repository else ""
    return f"""\
Python 3.11 or newer, in a clone, into a virtual environment:

```console title="Not run by the tests: installs packages"
{clone}$ python3 -m venv .venv
$ source .venv/bin/activate
$ pip install .
```
"""


def _action(repository: str | None) -> str:
    used, told = _uses(repository)
    return f"""\
```yaml
# .github/workflows/data.yml
on: [push, pull_request]
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4{_with_submodules(used)}
      - uses: {used}
        with:
          policy: data/taxcheck.toml
```

{told}
"""


def _push(repository: str | None) -> str:
    used, told = _uses(repository)
    return f"""\
```yaml
- uses: {used}
  with:
    policy: data/taxcheck.toml
    to: https://taxcheck.example.org
    token: ${{{{ secrets.TAXCHECK_TOKEN }}}}
```

{told}
"""


def _uses(repository: str | None) -> tuple[str, str]:
    """What a step of a workflow uses, and what there is to say of that."""
    github = _GITHUB.fullmatch(repository or "")
    if github is None:
        return "./taxcheck", (
            f"{_NOWHERE} `./taxcheck`\nis a clone of it in your repository, as a submodule or a "
            "copy. That version is installed,\nunless `version` names a release."
        )
    return f"{github[1]}@v{__version__}", (
        "What stands behind `@` is a tag or a commit. That version is installed, unless `version` "
        "names\na release."
    )


def _with_submodules(used: str) -> str:
    return "\n        with:\n          submodules: true" if used.startswith(".") else ""


def _hook(repository: str | None) -> str:
    if repository is not None:
        return f"""\
```yaml
# .pre-commit-config.yaml
repos:
  - repo: {repository}
    rev: v{__version__}
    hooks:
      - id: taxcheck
        args: [--policy, data/taxcheck.toml]
```
"""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    return f"""\
```yaml
# .pre-commit-config.yaml
repos:
  - repo: local
    hooks:
      - id: taxcheck
        name: taxcheck
        language: system
        entry: {hook["entry"]} --policy data/taxcheck.toml
        pass_filenames: false
        files: {hook["files"]}
```

{_NOWHERE} the hook\nis the `taxcheck` of the environment in which you commit.
"""


_MADE: dict[str, Callable[[str | None], str]] = {
    "install": _install,
    "action": _action,
    "push": _push,
    "hook": _hook,
}


def main() -> None:
    """Write all blocks anew."""
    for path in pages():
        text = path.read_text(encoding="utf-8")
        path.write_text(filled(text, address()), encoding="utf-8")


if __name__ == "__main__":
    main()
