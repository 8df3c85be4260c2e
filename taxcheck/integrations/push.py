"""Pushing runs to a service, where a team keeps them.

Nothing that can go wrong on the way changes what a run is: its report and its exit code stand. What
cannot be sent now waits in the outbox, and the next push sends it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

import msgspec
from blake3 import blake3

from taxcheck.integrations.exchange import PATIENCE, Answer, AwayError, exchange
from taxcheck.integrations.origin import Origin, origin
from taxcheck.integrations.outbox import Outbox, Parcel, parcel_at
from taxcheck.integrations.target import Target, address_of, target_of, token_for
from taxcheck.model.errors import OutputError, UsageError
from taxcheck.model.report import Report
from taxcheck.model.written import report_to_json

if TYPE_CHECKING:
    from taxcheck.policy.model import Policy

BUDGET = 20.0  # seconds that one push may take, with all that waits before it
_FOR_GOOD = {400, 409, 413, 415, 422, 426}  # the same run would be refused again
_OTHER_TOKEN = {401, 403}  # it may be another project's run, whose token another process has
_SILENCE = 60.0  # seconds for which a service that did not answer is not asked again

State = Literal["sent", "waiting", "refused", "lost"]


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a run; ``line`` says it in one sentence."""

    id: str
    state: State  # "lost": neither the service nor the outbox took it
    line: str


def push(
    report: Report | bytes,
    to: str | None = None,
    project: str | None = None,
    dataset: str | None = None,
    token: str | None = None,
) -> Pushed:
    """Push a report, or the bytes of one as JSON, to a service; the same one twice is one run.

    What is not given the environment tells: TAXCHECK_TO, TAXCHECK_PROJECT, TAXCHECK_DATASET and
    TAXCHECK_TOKEN. Raises UsageError where it does not; whatever goes wrong later is in the answer.
    """
    pusher = pusher_of(to, project, dataset, token)
    if pusher is None:
        raise UsageError("nothing says where to push: give `to`, or set TAXCHECK_TO")
    return pusher.push(report)


def pusher_of(
    to: str | None = None,
    project: str | None = None,
    dataset: str | None = None,
    token: str | None = None,
    policy: Policy | None = None,
    budget: float = BUDGET,
) -> Pusher | None:
    """What pushes to where ``target_of`` says; None where nothing names a service."""
    target = target_of(to, project, dataset, token, policy)
    return None if target is None else Pusher(target, budget=budget)


def send_waiting(to: str, budget: float = BUDGET) -> tuple[int, str]:
    """Send what waits for a service; how many runs are not there, and what there is to say."""
    address, outbox = address_of(to), Outbox.of_user()
    with outbox.locked(budget) as held:
        if not held:
            return len(outbox.waiting(address)), "another process is sending what waits"
        tale = _Sending(outbox, Target(address, "", "", token_for(address)), budget)
        tale.run()
    left = len(outbox.waiting(address))
    sent = f"{_runs(tale.sent)} that waited {'was' if tale.sent == 1 else 'were'} pushed"
    waits = f"{_runs(left)} still {'waits' if left == 1 else 'wait'}" if left else ""
    why = [*tale.refused.values(), tale.away or "", *tale.kept.values()]
    return left + len(tale.refused), "; ".join(filter(None, dict.fromkeys([sent, waits, *why])))


def run_id(project: str, dataset: str, report: bytes) -> str:
    """The id of a run, which is the same for the same report in the same dataset."""
    named = f"{project}\0{dataset}\0".encode() + report
    return blake3(named).hexdigest(16)


class Pusher:
    """Pushes the runs of one process to one dataset.

    A service that does not answer is left alone for a minute: a training that is watched by it goes
    on as if it were there.
    """

    def __init__(
        self,
        target: Target,
        outbox: Outbox | None = None,
        *,
        of: Origin | None = None,
        budget: float = BUDGET,
    ) -> None:
        self._target, self._outbox, self._budget = target, outbox, budget
        self._of = of
        self._silent: tuple[float, str] | None = None  # until when, and why

    def push(self, report: Report | bytes) -> Pushed:
        """Send a run, after what waits; raises nothing, whatever goes wrong."""
        try:
            done = self._pushed(report)
        except Exception as error:
            line = f"not pushed: taxcheck itself broke ({type(error).__name__}: {error})"
            done = Pushed("", "lost", line)
        return replace(done, line=" ".join(done.line.split()))

    def _pushed(self, report: Report | bytes) -> Pushed:
        content = report if isinstance(report, bytes) else report_to_json(report)
        raw = msgspec.json.format(content.removeprefix(b"\xef\xbb\xbf"), indent=-1)
        target, self._of = self._target, self._of or origin()
        id = run_id(target.project, target.dataset, raw)
        parcel = Parcel(id, target.to, target.project, target.dataset, self._of, msgspec.Raw(raw))
        began = time.time_ns()
        try:
            self._outbox = self._outbox or Outbox.of_user()
            path, dropped = self._outbox.put(parcel)
        except (OutputError, RuntimeError) as error:
            return self._directly(parcel, str(error))
        done = self._through(self._outbox, parcel, path, began)
        if dropped:
            line = f"{done.line}; the outbox was full, and {_runs(dropped)} gave way, the oldest"
            return replace(done, line=line)
        return done

    def _directly(self, parcel: Parcel, unkept: str) -> Pushed:
        """Send a run that no outbox can hold."""
        try:
            answer = _send(parcel, self._target, PATIENCE)
        except AwayError as error:
            why = f"{self._target.to} does not answer: {error}"
        else:
            if answer.status in (200, 201):
                return Pushed(parcel.id, "sent", f"pushed: {_page(self._target, parcel.id)}")
            why = f"{self._target.to} says: {answer.sentence}"
        return Pushed(parcel.id, "lost", f"not pushed: {why}; nor can it wait: {unkept}")

    def _through(self, outbox: Outbox, parcel: Parcel, path: Path, began: int) -> Pushed:
        target = self._target
        if self._silent and time.monotonic() < self._silent[0]:
            return _waiting(outbox, parcel, self._silent[1])
        with outbox.locked(self._budget) as held:
            if not held:
                return _waiting(outbox, parcel, "another process is sending what waits")
            tale = _Sending(outbox, target, self._budget)
            # Whoever held the lock just now has sent this run as well, or has met nobody.
            tale.away = outbox.away_since(target.to, began)
            if path.exists() and not tale.away:
                tale.run()
        if tale.away:
            self._silent = (time.monotonic() + _SILENCE, tale.away)
        if path.exists():
            return _waiting(outbox, parcel, tale.kept.get(path) or tale.away or "")
        if (kept := outbox.refused(parcel.id)) is not None:
            why = tale.refused.get(parcel.id, f"{target.to} refused it")
            return Pushed(parcel.id, "refused", f"not pushed: {why}; it is not sent again: {kept}")
        others = tale.sent - 1
        before = f", after {_runs(others)} that waited" if others > 0 else ""
        more = "".join(f"; {why}" for id, why in tale.refused.items() if id != parcel.id)
        return Pushed(parcel.id, "sent", f"pushed{before}: {_page(target, parcel.id)}{more}")


class _Sending:
    """One way through the outbox, by whoever holds the lock."""

    def __init__(self, outbox: Outbox, target: Target, budget: float) -> None:
        self._outbox, self._target = outbox, target
        self._until = time.monotonic() + budget
        self.sent = 0
        self.refused: dict[str, str] = {}  # id -> why
        self.kept: dict[Path, str] = {}  # what waits for another token -> why
        self.away: str | None = None

    def run(self) -> None:
        """Send all, those too that come meanwhile, until the service or the time is out."""
        while left := [p for p in self._outbox.waiting(self._target.to) if p not in self.kept]:
            for path in left:
                if self._one(path):
                    return

    def _one(self, path: Path) -> bool:
        """Send one run; whether this is the end."""
        try:
            parcel = parcel_at(path)
        except ValueError:
            self._outbox.refuse(path, None)
            return False
        if parcel is None:
            return False
        while True:
            time_left = self._until - time.monotonic()
            if time_left <= 0:
                self.away = "the time for it is over"
                return True
            try:
                answer = _send(parcel, self._target, min(PATIENCE, time_left))
            except AwayError as error:
                return self._gone(f"{self._target.to} does not answer: {error}")
            wait = answer.seconds_to_wait() if answer.status == 429 else None
            if wait is None or wait > self._until - time.monotonic():
                return self._answered(path, parcel, answer)
            time.sleep(wait)

    def _answered(self, path: Path, parcel: Parcel, answer: Answer) -> bool:
        said = f"{self._target.to} says: {answer.sentence}"
        if answer.status in (200, 201):
            path.unlink(missing_ok=True)
            self.sent += 1
        elif answer.status in _FOR_GOOD:
            self._outbox.refuse(path, parcel)
            self.refused[parcel.id] = f"{parcel.project}/{parcel.dataset}: {said}"
        elif answer.status in _OTHER_TOKEN:
            self.kept[path] = said
        else:
            return self._gone(said)
        return False

    def _gone(self, why: str) -> bool:
        self.away = why
        self._outbox.note_away(self._target.to, why)
        return True


def _send(parcel: Parcel, target: Target, patience: float) -> Answer:
    told = {
        "project": parcel.project,
        "dataset": parcel.dataset,
        "commit": parcel.origin.commit,
        "branch": parcel.origin.branch,
        "person": parcel.origin.person,
        "link": parcel.origin.link,
    }
    query = urlencode({name: value for name, value in told.items() if value is not None})
    url = f"{target.to}/api/v1/runs/{parcel.id}?{query}"
    body = bytes(parcel.report)
    return exchange("PUT", url, token=target.token, body=body, patience=patience)


def _waiting(outbox: Outbox, parcel: Parcel, why: str) -> Pushed:
    count = len(outbox.waiting(parcel.to))
    wait, them = ("waits", "it") if count == 1 else ("wait", "them")
    line = f"not pushed: {why}; {_runs(count)} {wait} in the outbox, and the next push sends {them}"
    return Pushed(parcel.id, "waiting", line)


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _page(target: Target, id: str) -> str:
    return f"{target.to}/runs/{id}"
