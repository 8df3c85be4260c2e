"""For tests and training scripts: data that is not sound ends them with a message to act on."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxcheck.model.finding import Outcome
from taxcheck.model.report import Report
from taxcheck.policy.model import Inputs
from taxcheck.run.request import Request

if TYPE_CHECKING:
    from taxcheck.integrations.push import Pusher

Given = str | Path | Sequence[str | Path] | None  # of several paths one table is read
_SHOWN = 5  # causes
_log = logging.getLogger("taxcheck.push")
_NAMES = frozenset(f.name for f in fields(Inputs))


class UnsoundError(AssertionError):
    """Data or a table that the gate or the audit fails; ``report`` has all of it."""

    def __init__(self, report: Report) -> None:
        super().__init__(explain(report))
        self.report = report


def run(
    mapping: Given = None,
    pairs: Given = None,
    *,
    policy: str | Path | None = None,
    cache: str | Path | None = None,
    to: str | None = None,
    project: str | None = None,
    dataset: str | None = None,
    token: str | None = None,
    **options: Any,
) -> Report:
    """The report of one run; inputs that are not given are those that the policy names.

    It is pushed to the service ``to`` (or $TAXCHECK_TO), if there is one, as ``taxcheck.push`` does
    it; what becomes of that is logged, and nothing of it fails.

    ``options`` are the other fields of a Request: ``taxonomy``, ``held_out``, ``embeddings``,
    ``seed``, ``fail_on="warn"`` ... Raises TaxcheckError, in one line, for what cannot be read, for
    a wrong policy and for an option that does not exist.
    """
    from taxcheck.integrations.push import pusher_of

    request = request_of(mapping, pairs, policy=policy, **options)
    pusher = pusher_of(to, project, dataset, token, request.policy)
    if cache is not None:
        from taxcheck.run.cache.answer import answer

        report = answer(request, Path(cache)).report
    else:
        from taxcheck.run.check import check

        report = check(request)
    pushed(pusher, report)
    return report


def pushed(pusher: Pusher | None, report: Report) -> None:
    """Push a report, if there is a service, and log what became of it."""
    if pusher is not None:
        done = pusher.push(report)
        _log.log(logging.INFO if done.state == "sent" else logging.WARNING, "%s", done.line)


def request_of(
    mapping: Given = None,
    pairs: Given = None,
    *,
    policy: str | Path | None = None,
    audited: bool = True,
    **options: Any,
) -> Request:
    """What is asked, under the policy; ``options`` are the other fields of a Request.

    Unless ``audited``, a table that the policy names is left out: there is a new one to come.
    """
    from taxcheck.model.errors import UsageError
    from taxcheck.policy.read import load_policy
    from taxcheck.run.registry import cause_names, load_rules
    from taxcheck.run.request import under_policy

    given = {"mapping": mapping, "pairs": pairs} | {
        key: options.pop(key) for key in list(options) if key in _NAMES
    }
    if unknown := set(options) - {f.name for f in fields(Request)}:
        raise UsageError(f"no option {min(unknown)!r}; there are the fields of taxcheck's Request")
    paths: dict[str, Any] = {k: str(v) if isinstance(v, Path) else v for k, v in given.items()}
    options = {"drawn": False, **options}
    options["fail_on"] = Outcome(options.get("fail_on", Outcome.FAIL))
    loaded = load_policy(Path(policy) if policy is not None else None, load_rules(), cause_names())
    taken = None if audited else _NAMES - {"embeddings", "initial"}
    return under_policy(Inputs(**paths), loaded, taken, **options)


def assert_sound(
    mapping: Given = None,
    pairs: Given = None,
    **options: Any,
) -> Report:
    """The report of sound data; UnsoundError, an AssertionError, that names causes and fixes.

    Takes what ``run`` takes. Where nothing could be judged, or a rule broke, the data is not sound
    either.
    """
    report = run(mapping, pairs, **options)
    if report.exit_code:
        raise UnsoundError(report)
    return report


def explain(report: Report) -> str:
    """The headline, then each cause with what to do; what follows from it is only named."""
    lines = [f"{report.verdict.value.upper()}: {report.headline}"]
    found = report.by_cause
    for cause, consequences in found[:_SHOWN]:
        lines.append(f"  {cause.label}: {cause.message}")
        if cause.fix:
            lines += _indented("fix: ", cause.fix)
        if consequences:
            lines.append(f"    and so: {', '.join(one.id for one in consequences)}")
    if len(found) > _SHOWN:
        lines.append(f"  ... and {len(found) - _SHOWN} more causes")
    lines += [
        f"  {one.id} broke: {one.reason}" for one in report.results if one.outcome is Outcome.ERROR
    ]
    lines += [f"  {status.message}" for status in report.failing_waivers]
    lines += [f"  {rule.told_lost}" for rule in report.lost(Outcome.FAIL)]
    return "\n".join(lines)


def _indented(label: str, text: str) -> Iterator[str]:
    for k, line in enumerate(text.strip().splitlines()):
        yield f"    {label if k == 0 else ' ' * len(label)}{line}".rstrip()
