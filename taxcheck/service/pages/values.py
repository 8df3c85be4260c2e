"""What the pages show: complete values, from which the renderers draw.

Moments are milliseconds since 1970-01-01 UTC. Every text comes from data and may hold anything.
"""

from __future__ import annotations

from msgspec import Struct

from taxcheck.commands.compare.comparison import Comparison
from taxcheck.model.report import Report
from taxcheck.model.rule import Document


class Frame(Struct, frozen=True, kw_only=True):
    """What stands around every page: who looks at it, what they may do, what was just done."""

    now: int
    version: str
    person: str | None = None  # None: nobody is signed in
    scopes: frozenset[str] = frozenset()
    leaves: bool = False  # the person signed in here, and can sign out
    said: str = ""  # what the form did that led here


class Mark(Struct, frozen=True):
    """A run in a strip: no more than a cell and its tooltip need."""

    id: str
    verdict: str
    created: int
    cause: str | None = None
    who: str | None = None  # person or branch


class RunLine(Struct, frozen=True, kw_only=True):
    """A run in a list, and the head of its own page."""

    id: str
    project: str
    dataset: str
    title: str
    verdict: str
    headline: str
    cause: str | None
    created: int
    received: int
    branch: str | None = None
    person: str | None = None
    commit: str | None = None
    link: str | None = None  # of the CI job
    job: str | None = None
    pinned: bool = False
    erased: bool = False

    @property
    def who(self) -> str | None:
        """Where it came from, in a word."""
        return self.branch or self.person


class Doubt(Struct, frozen=True):
    """Why it is not known how a dataset stands, and the run that leaves it open, if one does."""

    said: str
    run: str = ""


class DatasetLine(Struct, frozen=True, kw_only=True):
    """A dataset as the home page lists it."""

    project: str
    name: str
    verdict: str | None  # of the newest run; None: there is none
    fails: bool = False  # by its exit code: a warning does where `--fail-on warn` says so
    doubt: Doubt | None = None  # where neither can be said
    branch: str | None = None  # of the newest run
    headline: str = ""
    cause: str | None = None
    newest: str = ""  # id of the newest run
    created: int = 0  # of the newest run
    failing_since: int | None = None
    runs: int = 0
    recent: tuple[Mark, ...] = ()  # the newest last

    @property
    def verdicts(self) -> tuple[str, ...]:
        """Of the last runs, the newest last."""
        return tuple(mark.verdict for mark in self.recent)


class Failing(Struct, frozen=True):
    """The datasets that fail for one reason."""

    cause: str
    datasets: tuple[DatasetLine, ...]  # those that have failed longest first


class Home(Struct, frozen=True):
    """All datasets, or those of one project."""

    frame: Frame
    failing: tuple[Failing, ...]
    datasets: tuple[DatasetLine, ...]
    project: str | None = None

    @property
    def unknown(self) -> tuple[DatasetLine, ...]:
        """Those of which it is not known how they stand."""
        known = ("pass", "warn", "fail", "error")
        return tuple(d for d in self.datasets if d.doubt is not None or d.verdict not in known)


class GridRow(Struct, frozen=True):
    """A rule over the runs of the grid; an outcome is "" where the run had no such rule."""

    rule: str
    name: str
    outcomes: tuple[str, ...]  # of each run of the grid
    count: int | None = None  # in the newest run
    total: int | None = None


class Point(Struct, frozen=True):
    """A number of one run."""

    run: str
    created: int
    value: float
    verdict: str
    cause: str | None = None
    who: str | None = None


class Trend(Struct, frozen=True):
    """One number over the runs, the oldest first."""

    name: str
    label: str
    points: tuple[Point, ...]
    baseline: float | None = None  # its value in the run that others are held against
    lacking: int = 0  # runs between these that do not have the number


class Due(Struct, frozen=True):
    """A waiver of the newest run, and the last moment at which it holds."""

    rule: str
    owner: str
    until: int
    state: str


class Dataset(Struct, frozen=True, kw_only=True):
    """All of one dataset."""

    frame: Frame
    line: DatasetLine
    runs: tuple[Mark, ...]  # of strip and grid, the newest last
    grid: tuple[GridRow, ...]
    trends: tuple[Trend, ...]  # those that were asked for
    numbers: tuple[tuple[str, str], ...]  # all that can be drawn: name and label
    waivers: tuple[Due, ...] = ()
    baseline: RunLine | None = None
    chosen: bool = False  # the baseline was set by hand, and is not just the newest pass
    last: int = 100  # how many runs the trends are of
    may_admin: bool = False  # in its project


class Note(Struct, frozen=True):
    """What somebody wrote beside a run."""

    person: str | None
    text: str
    created: int


class Run(Struct, frozen=True, kw_only=True):
    """One run: its report, and what changed since the baseline."""

    frame: Frame
    line: RunLine
    report: Report
    drawn: str = ""  # what the report follows from: it is drawn once for the same; "": each time
    baseline: RunLine | None = None
    is_baseline: bool = False
    changed: Comparison | None = None  # since that baseline
    others: tuple[Mark, ...] = ()  # that it can be compared with, the newest last
    notes: tuple[Note, ...] = ()
    may_push: bool = False  # in the run's project
    may_admin: bool = False


class Compare(Struct, frozen=True, kw_only=True):
    """Two runs beside each other, or the form that asks which; ``line`` is why not, where not."""

    frame: Frame
    before: str = ""
    after: str = ""
    runs: tuple[RunLine, ...] = ()  # before and after, as far as they are known
    comparison: Comparison | None = None
    line: str = ""


class Fires(Struct, frozen=True):
    """A finding or a cause in the newest run of a dataset."""

    project: str
    dataset: str
    run: str
    outcome: str  # of the rule; of a cause, the verdict of the run
    created: int
    count: int | None = None
    share: float | None = None
    certainty: str = ""  # of a cause


class Firing(Struct, frozen=True, kw_only=True):
    """A rule or a cause: where it fires now, and its document where it is installed here."""

    frame: Frame
    id: str  # of a rule; the name, of a cause
    name: str
    kind: str  # "rule" or "cause"
    fires: tuple[Fires, ...]
    document: Document | None = None


class JobLine(Struct, frozen=True, kw_only=True):
    """A job in a list."""

    id: str
    project: str
    dataset: str
    kind: str
    state: str  # "queued", "running", "done", "failed", "cancelled"
    created: int
    started: int | None = None
    ended: int | None = None
    person: str | None = None
    attempts: int = 0
    cancelling: bool = False
    stuck: str = ""  # why it looks stuck, before how long that has been; empty: it does not
    silent: int = 0  # milliseconds of that
    stage: str = ""
    done: int | None = None
    whole: int | None = None
    line: str | None = None  # of a failure, the one that the command line prints
    run: str | None = None


class Jobs(Struct, frozen=True, kw_only=True):
    """All jobs, stuck ones first."""

    frame: Frame
    jobs: tuple[JobLine, ...]
    more: str = ""  # cursor of what is older
    may_run: bool = False


class Job(Struct, frozen=True, kw_only=True):
    """One job with its log."""

    frame: Frame
    job: JobLine
    asked: tuple[tuple[str, str], ...]
    log: str = ""
    outcome: str = ""  # of a plan or a build, as text
    files: tuple[str, ...] = ()  # that a build made
    exit_code: int | None = None
    may_run: bool = False


class NewJob(Struct, frozen=True, kw_only=True):
    """The form that starts a job; what was typed stays where it was refused for ``line``."""

    frame: Frame
    prefixes: tuple[str, ...]  # folders of the server that jobs may read
    uploads: tuple[tuple[str, str], ...] = ()  # id, and name with size
    typed: dict[str, str] = {}
    line: str = ""


class TokenLine(Struct, frozen=True):
    """A token, as far as it is known."""

    key: int
    name: str
    scopes: tuple[str, ...]
    project: str | None
    created: int
    expires: int | None
    used: int | None
    revoked: int | None


class HookLine(Struct, frozen=True):
    """A webhook; ``waiting`` deliveries are not sent yet, ``line`` is why the last try failed."""

    key: int
    project: str
    url: str
    style: str
    events: tuple[str, ...]
    paused: bool
    waiting: int = 0
    line: str | None = None


class LogLine(Struct, frozen=True):
    """A line of the audit log."""

    moment: int
    person: str
    action: str
    subject: str


class Admin(Struct, frozen=True, kw_only=True):
    """Disk, retention, tokens, webhooks and the audit log."""

    frame: Frame
    disk: tuple[tuple[str, int], ...]  # what for, bytes
    free: int | None
    counts: tuple[tuple[str, int], ...]
    keep_days: int
    keep_runs: int
    tokens: tuple[TokenLine, ...]
    hooks: tuple[HookLine, ...]
    log: tuple[LogLine, ...]
    made: str = ""  # a token that was just made; shown this once
    line: str = ""  # why a form was refused


class Login(Struct, frozen=True):
    """The form that makes a session of a token."""

    frame: Frame
    back: str = "/"
    line: str = ""


class Failure(Struct, frozen=True):
    """An error, with the sentence that the command line would print."""

    frame: Frame
    status: int
    line: str
    request: str = ""  # its id, for the log


class Badge(Struct, frozen=True):
    """What a badge says; ``look`` is an outcome, or empty where nothing is known."""

    label: str
    look: str
    said: str


class Feed(Struct, frozen=True):
    """The newest runs of a dataset, the newest first; ``base`` is the server's address."""

    base: str
    project: str
    dataset: str
    runs: tuple[RunLine, ...]
    updated: int


class Field(Struct, frozen=True):
    """A part of a request or of a value."""

    name: str
    kind: str  # "text", "whole number", "list of Run" ...
    needed: bool = True
    said: str = ""


class Operation(Struct, frozen=True, kw_only=True):
    """What can be asked for at one address."""

    method: str
    path: str
    said: str
    scope: str | None  # that a token needs; None: everybody may ask
    parameters: tuple[Field, ...] = ()
    body: tuple[Field, ...] = ()  # of a JSON object
    sent: str = ""  # what else is sent instead
    answers: tuple[tuple[str, str], ...] = ()  # status, and what it is with its class


class Chapter(Struct, frozen=True):
    """Operations on one kind of thing."""

    name: str
    operations: tuple[Operation, ...]


class Described(Struct, frozen=True):
    """A class of values that are answered."""

    name: str
    said: str
    fields: tuple[Field, ...]


class Reference(Struct, frozen=True):
    """REST, as a page."""

    frame: Frame
    said: str
    chapters: tuple[Chapter, ...]
    values: tuple[Described, ...]
