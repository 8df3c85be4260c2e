"""The whole story of a run: tables walk in, statistics are folded, rules judge, a Report is."""

from __future__ import annotations

from taxcheck.model.report import Report
from taxcheck.run.gather import gather
from taxcheck.run.judge import judge
from taxcheck.run.request import Progress, Request
from taxcheck.statistics.offenders import Sink


def check(request: Request, progress: Progress | None = None, sink: Sink | None = None) -> Report:
    """Run the gate, the audit or both; every error that it raises is one line for the user.

    ``sink`` receives every offending row, unless ``request.failures`` has them written.
    """
    with gather(request, progress, sink) as data:
        return judge(data)
