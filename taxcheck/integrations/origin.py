"""What a run is of: commit, branch, person and job, as git and the CI tell them.

What neither tells is None. Of an address only what needs no password is kept.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

_PATIENCE = 2.0  # seconds, for each question to git
# The names that each CI has for them; the first that is set counts. In a merge request the branch
# is the one that asks to be merged.
_COMMIT = ("GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT")
_BRANCH = (
    *("GITHUB_HEAD_REF", "GITHUB_REF_NAME"),
    *("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME"),
    *("CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH"),
)
_PERSON = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID", "CHANGE_AUTHOR")
_LINK = ("CI_JOB_URL", "BUILD_URL")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run comes from; None: nobody tells."""

    commit: str | None = None
    branch: str | None = None
    person: str | None = None
    link: str | None = None  # of the CI's job, http or https


def origin(environment: Mapping[str, str] = os.environ) -> Origin:
    """The origin of a run that is made here and now."""

    def told(names: tuple[str, ...]) -> str | None:
        return next((environment[name] for name in names if environment.get(name)), None)

    return Origin(
        commit=_shown(told(_COMMIT) or _git("rev-parse", "HEAD"), 64),
        branch=_shown(told(_BRANCH) or _branch(), 255),
        person=_shown(told(_PERSON) or _git("config", "user.name"), 255),
        link=_shown(_public(_github(environment) or told(_LINK)), 2000),
    )


def _shown(text: str | None, longest: int) -> str | None:
    """A text that a service takes; one that it would refuse the run for is left out."""
    text = (text or "").strip()
    return text if text and len(text) <= longest and text.isprintable() else None


def _github(environment: Mapping[str, str]) -> str | None:
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (environment.get(name) for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else None


def _public(link: str | None) -> str | None:
    """An address without user, password, query and fragment, any of which may be a secret."""
    try:
        parts = urlsplit(link or "")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    host = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, f"{host}:{port}" if port else host, parts.path, "", ""))


def _branch() -> str | None:
    found = _git("symbolic-ref", "HEAD")
    return found.removeprefix("refs/heads/") if found else None


def _git(*question: str) -> str | None:
    """One line that git answers, None where there is no git, repository or answer."""
    try:
        done = subprocess.run(
            ["git", *question],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
