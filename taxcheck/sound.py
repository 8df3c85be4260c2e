"""For tests and training scripts: data that is not sound ends them with a message to act on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from taxcheck.policy_inputs import Inputs
from taxcheck.report import Report
from taxcheck.rule import Outcome

_SHOWN = 5  # causes
_NAMES = frozenset(f.name for f in fields(Inputs))


class UnsoundError(AssertionError):
    """Data or a table that the gate or the audit fails; ``report`` has all of it."""

    def __init__(self, report: Report) -> None:
        super().__init__(explain(report))
        self.report = report


def run(
    mapping: str | Path | None = None,
    pairs: str | Path | None = None,
    *,
    policy: str | Path | None = None,
    cache: str | Path | None = None,
    audited: bool = True,
    **options: Any,
) -> Report:
    """The report of one run; inputs that are not given are those that the policy names.

    Unless ``audited``, a table that the policy names is left out: there is a new one to come.

    ``options`` are the other fields of a Request: ``taxonomy``, ``held_out``, ``embeddings``,
    ``seed``, ``fail_on="warn"`` ... Raises TaxcheckError, in one line, for what cannot be read, for
    a wrong policy and for an option that does not exist.
    """
    from taxcheck.config import load_policy
    from taxcheck.errors import UsageError
    from taxcheck.registry import load_rules
    from taxcheck.request import Request, under_policy

    given = {"mapping": mapping, "pairs": pairs} | {
        key: options.pop(key) for key in list(options) if key in _NAMES
    }
    if unknown := set(options) - {f.name for f in fields(Request)}:
        raise UsageError(f"no option {min(unknown)!r}; there are the fields of taxcheck's Request")
    paths: dict[str, Any] = {k: str(v) if isinstance(v, Path) else v for k, v in given.items()}
    options = {"drawn": False, **options}
    options["fail_on"] = Outcome(options.get("fail_on", Outcome.FAIL))
    loaded = load_policy(Path(policy) if policy is not None else None, load_rules())
    if not audited:
        loaded = replace(loaded, inputs=replace(loaded.inputs, embeddings=None, initial=None))
    request = under_policy(Inputs(**paths), loaded, **options)
    if cache is not None:
        from taxcheck.caching.answer import answer

        return answer(request, Path(cache)).report
    from taxcheck.pipeline import check

    return check(request)


def assert_dataset_sound(
    mapping: str | Path | None = None,
    pairs: str | Path | None = None,
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
    found = report.causes
    for cause, consequences in found[:_SHOWN]:
        lines.append(f"  {cause.rule.id} {cause.rule.name}: {cause.message}")
        if cause.finding is not None and cause.finding.fix:
            lines += _indented("fix: ", cause.finding.fix)
        if consequences:
            lines.append(f"    and so: {', '.join(one.rule.id for one in consequences)}")
    if len(found) > _SHOWN:
        lines.append(f"  ... and {len(found) - _SHOWN} more causes")
    lines += [
        f"  {one.rule.id} broke: {one.reason}"
        for one in report.results
        if one.outcome is Outcome.ERROR
    ]
    lines += [f"  {status.message}" for status in report.failing_waivers]
    return "\n".join(lines)


def _indented(label: str, text: str) -> Iterator[str]:
    for k, line in enumerate(text.strip().splitlines()):
        yield f"    {label if k == 0 else ' ' * len(label)}{line}".rstrip()
