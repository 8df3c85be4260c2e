"""What a user can see when taxcheck cannot go on: one line, and a documented exit code.

A message says what is wrong, where, and what to do. Exit codes: 0 passed or warned, 1 a rule
failed, 2 the command or policy is wrong, 3 an input cannot be read or a cluster does not answer, 4
taxcheck itself broke.
"""

from __future__ import annotations


class TaxcheckError(Exception):
    """Base of every error that is shown as one line and ends the command."""

    exit_code = 4


class UsageError(TaxcheckError):
    """The command line or the policy file asks for something that does not exist."""

    exit_code = 2


class InputError(TaxcheckError):
    """An input cannot be read, or there is nothing in it that could be judged."""

    exit_code = 3


class EngineError(TaxcheckError):
    """What should run the passes over the data is not there, not able to, or died of it."""

    exit_code = 3


class OutputError(TaxcheckError):
    """A report could not be written; nothing half-written is left."""

    exit_code = 3


class BrokenError(TaxcheckError):
    """A rule or a renderer failed by its own fault."""

    exit_code = 4


class NoReportError(ValueError):
    """What was read is no report; the text says why, in one line."""


class OtherVersionError(NoReportError):
    """A report of a later taxcheck, whose words have another meaning."""


def one_line(said: object, limit: int = 200) -> str:
    """What was said, as an error says it, on one printable line of bounded length."""
    text = " ".join(str(said).split())
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"
