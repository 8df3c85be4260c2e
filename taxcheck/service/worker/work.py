"""One job from claim to end: made ready, run in its process, kept, and said to be over."""

from __future__ import annotations

import logging
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from taxcheck.files import hidden_folder
from taxcheck.model.errors import NoReportError, TaxcheckError
from taxcheck.service.store import jobs
from taxcheck.service.store.errors import AwayError, ConflictError, RefusedError, TooLargeError
from taxcheck.service.store.ingest import keep
from taxcheck.service.store.jobs import Beat, Claim, Progress
from taxcheck.service.store.pushed import Pushed
from taxcheck.service.worker.confined import readable, writable
from taxcheck.service.worker.errand import Errand, Left, errand
from taxcheck.service.worker.process import Ended, Ending, Limits, attend

if TYPE_CHECKING:
    from taxcheck.service.store.store import Store

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-P", "-m", "taxcheck")
_NEWS = 2.0  # seconds between two beats, at most
_PATIENCE = 300.0  # seconds for which the end of a job is told to a database that is away
_PREFIX = "taxcheck: "  # of a complaint
# What keeping a report answers where another try would not help.
_NOT_KEPT = (NoReportError, ConflictError, TooLargeError, RefusedError)
# Somebody else's doing: the same job may go well elsewhere or later.
_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def work(store: Store, held: Claim, stopping: Event) -> None:
    """Do a job; whatever happens, it is ended or put back, or another has it already."""
    try:
        with hidden_folder(_work(store) / "job", "running") as folder:
            _work_in(store, held, folder, stopping)
    except ConflictError as error:
        log.warning("%s", error)
    except (TaxcheckError, OSError) as error:  # of this machine, not of the job: no room, no right
        _put_back(store, held, str(error))
    except Exception as error:
        log.exception("job %s", held.id)
        _put_back(store, held, f"the worker broke ({type(error).__name__}: {error})")


def _work(store: Store) -> Path:
    place = store.settings.data.absolute() / "work"
    place.mkdir(parents=True, exist_ok=True)
    return place


def _work_in(store: Store, held: Claim, folder: Path, stopping: Event) -> None:
    try:
        asked = errand(store, held, folder)
    except AwayError:
        raise
    except TaxcheckError as error:
        _end(store, held, "failed", line=_one_line(str(error)), exit_code=error.exit_code)
        return
    limits = Limits(
        store.settings.job_bytes,
        store.settings.job_seconds,
        store.settings.job_niceness,
        readable(store, folder),
        writable(folder),
    )
    ended = attend(
        (*COMMAND, *asked.arguments),
        asked.folder,
        limits,
        _teller(store, held),
        stopping,
        min(_NEWS, store.settings.lease / 4),
    )
    _settle(store, held, asked, ended)


def _teller(store: Store, held: Claim) -> Callable[[Progress | None, str | None], Beat]:
    def tell(progress: Progress | None, said: str | None) -> Beat:
        try:
            return jobs.beat(store, held, progress=progress, log=said)
        except TaxcheckError as error:  # while it is away nobody else can take the job up
            log.warning("job %s: %s", held.id, error)
            return Beat.GO_ON

    return tell


def _settle(store: Store, held: Claim, asked: Errand, ended: Ended) -> None:
    """Say how a job ended that came to the end of its process."""
    if ended.how is Ending.LOST:
        log.warning("job %s: was taken up by another, or has ended", held.id)
    elif ended.how is Ending.STOPPING:
        jobs.hand_back(store, held)
    elif ended.how is Ending.CANCELLED:
        _end(store, held, "cancelled", log=ended.log)
    elif ended.how is Ending.TIME or ended.code == -signal.SIGALRM:
        seconds = store.settings.job_seconds
        line = f"was stopped after {seconds:,} s, which is as long as a job may take here"
        _end(store, held, "failed", log=ended.log, line=line)
    elif ended.code < 0 and -ended.code in _OUTSIDE:
        name = signal.Signals(-ended.code).name
        _put_back(store, held, f"its process was ended by {name}, as where the machine is full")
    elif (left := asked.left()) is not None:
        _keep(store, held, left, ended)
    else:
        line, code = _complaint(ended, store.settings.job_bytes), ended.code
        exit_code = code if code >= 0 else 128 - code
        _end(store, held, "failed", log=ended.log, line=line, exit_code=exit_code)


def _complaint(ended: Ended, memory: int) -> str:
    """The one line that the command printed, without its name."""
    lines = [line for line in ended.errors.splitlines() if line.strip()]
    said = [line.removeprefix(_PREFIX) for line in lines if line.startswith(_PREFIX)]
    if ended.code < 0:
        name = signal.Signals(-ended.code).name
        line = f"taxcheck itself crashed ({name}); its log may tell why"
    elif said or lines:
        line = (said or lines)[-1]
    else:
        return f"ended with exit code {ended.code} and said nothing"
    if ended.code < 0 or "memory" in line:
        line = f"{line}; a job may take {memory / 2**30:.3g} GiB of memory here"
    return _one_line(line)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:2000].replace("\x00", "\ufffd")


def _keep(store: Store, held: Claim, left: Left, ended: Ended) -> None:
    """Keep the report as the run of this job, in the same transaction that ends the job."""
    target = jobs.results_folder(store) / f"{held.id}.{held.fence}"
    if left.built is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        left.built.replace(target)
    pushed = Pushed(
        id=held.id,
        project=held.project,
        dataset=held.dataset,
        person=held.person,
        job=held.id,
    )
    values: dict[str, Any] = {
        "log": ended.log,
        "exit_code": ended.code,
        "run": held.id,
        "outcome": left.outcome,
    }

    def kept() -> None:
        keep(
            store,
            pushed,
            left.report,
            within=lambda connection: jobs.finish(connection, held, "done", **values),
        )

    try:
        _told(kept)
    except BaseException as error:
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, _NOT_KEPT) and jobs.beat(store, held) is not Beat.LOST:
            line = f"its report cannot be kept: {_one_line(str(error))}"
            _end(store, held, "failed", log=ended.log, line=line)
            return
        raise


def _end(store: Store, held: Claim, state: str, **values: Any) -> None:
    def said() -> None:
        with store.database.writing() as connection:
            jobs.finish(connection, held, state, **values)

    _told(said)


def _told(say: Callable[[], None]) -> None:
    """Say it, again and again where the database is away; AwayError when patience is over."""
    last = time.monotonic() + _PATIENCE
    while True:
        try:
            say()
        except AwayError as error:
            if time.monotonic() > last:
                raise
            log.warning("%s", error)
            time.sleep(1)
        else:
            return


def _put_back(store: Store, held: Claim, why: str) -> None:
    try:
        jobs.hand_back(store, held, _one_line(why))
    except TaxcheckError as error:  # its lease ends, and then others take it up
        log.warning("job %s: %s; and then %s", held.id, why, error)
