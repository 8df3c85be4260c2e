"""A run arrives: its report is read within bounds, kept as a file, and told in the tables.

The file is there before the transaction, and whoever sees the run finds it. A file whose
transaction did not come to pass belongs to no run and is swept later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, NamedTuple

from blake3 import blake3
from msgspec import Struct
from sqlalchemy import Connection, exc, func, insert, select, text

from taxcheck.commands.compare.compare import score_changes
from taxcheck.model.change import REGRESSIONS
from taxcheck.model.errors import NoReportError
from taxcheck.model.finding import Outcome
from taxcheck.model.report import Report
from taxcheck.model.result import FoundCause
from taxcheck.model.written import report_from_json
from taxcheck.service.store import head, lookup, tables
from taxcheck.service.store.content import Parts, put_together, taken_apart
from taxcheck.service.store.database import now
from taxcheck.service.store.errors import (
    ConflictError,
    NotThereError,
    RefusedError,
    TooLargeError,
)
from taxcheck.service.store.limits import expect_bounded
from taxcheck.service.store.metrics import numbers
from taxcheck.service.store.pushed import Pushed
from taxcheck.service.store.store import Store

__all__ = ["Kept", "Pushed", "keep"]

SWEEPING = 8740_0002  # of PostgreSQL: shared by whoever refers to a file, alone for who removes one
_TOLERANCE = 0.01  # by which part of the baseline's value a score may be worse
_TOP = 2**63 - 1
_MOST = 2000  # rules of a report, and causes, inputs, waivers
_OFF = 60_000  # milliseconds by which a clock has to be off to be corrected


class Kept(Struct, frozen=True):
    """What became of a push; ``created`` False where the same run was there already."""

    created: bool
    id: str
    number: int  # of the runs that the dataset has now
    verdict: str
    headline: str


class _Read(NamedTuple):
    """A pushed report with everything that is computed of it before the transaction."""

    pushed: Pushed
    digest: str  # of the bytes that were pushed
    report: Report
    parts: Parts
    blob: str
    documents: str
    size: int
    metrics: dict[str, float]


def keep(
    store: Store,
    pushed: Pushed,
    raw: bytes,
    within: Callable[[Connection], None] = lambda _: None,
) -> Kept:
    """Keep a run, once, however often it is pushed.

    ``within`` is called in the same transaction: what it writes is kept with the run, and where it
    raises, the run is not. Raises ConflictError where the id has other content, NoReportError or
    OtherVersionError where it is no report that can be read, TooLargeError, RefusedError,
    NoRoomError, AwayError.
    """
    expect_bounded(raw, store.settings)
    digest = blake3(raw).hexdigest()
    with store.database.reading() as connection:
        if kept := _already(connection, pushed, digest):
            with store.database.writing() as writing:
                within(writing)
            return kept
        against = _baseline(connection, pushed)
    report = report_from_json(raw)
    _expect_storable(report)
    read = _files(store, pushed, digest, raw, report)
    worse = _worse(store, against, report)
    try:
        return _written(store, read, against, worse, within)
    except exc.IntegrityError:  # the same id came twice at once, or a name for the first time
        return _written(store, read, against, worse, within)


def _already(connection: Connection, pushed: Pushed, digest: str) -> Kept | None:
    run, dataset, project = tables.run, tables.dataset, tables.project
    found = connection.execute(
        select(
            run.c.digest, run.c.verdict, run.c.headline, dataset.c.name, dataset.c.runs,
            project.c.name.label("project"),
        )
        .join(dataset, run.c.dataset == dataset.c.key)
        .join(project, dataset.c.project == project.c.key)
        .where(run.c.id == pushed.id)
    ).first()  # fmt: skip
    if found is None:
        return None
    if (found.digest, found.project, found.name) != (digest, pushed.project, pushed.dataset):
        raise ConflictError(f"run {pushed.id}: is there already, with other content; name another")
    return Kept(False, pushed.id, found.runs, found.verdict, found.headline)


def _expect_storable(report: Report) -> None:
    """Raises RefusedError where a name is longer than any that taxcheck gives.

    TooLargeError where there are more rules than anybody could look at.
    """
    for what, many in (("rules", report.results), ("causes", report.causes),
                       ("inputs", report.inputs), ("waivers", report.waivers)):  # fmt: skip
        if len(many) > _MOST:
            raise TooLargeError(
                f"the report has {len(many):,} {what}, and this server takes {_MOST:,}"
            )
    named = [("a rule's id", r.id, 100) for r in report.results]
    named += [("a rule's name", r.name, 100) for r in report.results]
    named += [("a cause's name", c.name, 100) for c in report.causes]
    named += [("the role of an input", i.role, 20) for i in report.inputs]
    named += [("a fingerprint", i.fingerprint, 100) for i in report.inputs]
    named += [("the version", report.version, 40), ("the schema", report.schema_version, 10)]
    for what, name, longest in named:
        if len(name) > longest:
            raise RefusedError(f"{what}, {name[:20]!r}..., has more than {longest} characters")
    if len({cause.name for cause in report.causes}) < len(report.causes):
        raise NoReportError("names a cause twice")


def _files(store: Store, pushed: Pushed, digest: str, raw: bytes, report: Report) -> _Read:
    parts = taken_apart(raw, report)
    documents, blob = store.blobs.put(parts.documents), store.blobs.put(parts.content)
    size = store.blobs.size(blob) or 0
    return _Read(pushed, digest, report, parts, blob, documents, size, numbers(report))


def _baseline(connection: Connection, pushed: Pushed) -> Any:
    """The run that the dataset's runs are held against now; None where there is none."""
    run, dataset, project = tables.run, tables.dataset, tables.project
    return connection.execute(
        select(run.c.key, run.c.blob)
        .join(dataset, run.c.key == func.coalesce(dataset.c.baseline, dataset.c.newest_pass))
        .join(project, dataset.c.project == project.c.key)
        .where(project.c.name == pushed.project, dataset.c.name == pushed.dataset)
    ).first()


def _worse(store: Store, baseline: Any, report: Report) -> int:
    """How many scores are worse than the baseline's."""
    table = report.statistics.embeddings
    if baseline is None or table is None or table.quality is None:
        return 0
    try:
        before = put_together(store.blobs.get(baseline.blob), b"{}", {})
    except (NotThereError, NoReportError):  # it was removed a moment ago
        return 0
    changes = score_changes(before, report, _TOLERANCE)
    return sum(score.change in REGRESSIONS for score in changes)


def _written(
    store: Store,
    read: _Read,
    baseline: Any,
    worse: int,
    within: Callable[[Connection], None],
) -> Kept:
    with store.database.writing() as connection:
        if not store.database.is_sqlite:
            lock = text("SELECT pg_advisory_xact_lock_shared(:lock)")
            connection.execute(lock, {"lock": SWEEPING})
        within(connection)
        if kept := _already(connection, read.pushed, read.digest):
            return kept
        for digest, content in ((read.blob, read.parts.content),
                                (read.documents, read.parts.documents)):  # fmt: skip
            if store.blobs.size(digest) is None:  # swept since, as if of no run
                store.blobs.put(content)
        dataset = lookup.dataset_key(connection, read.pushed.project, read.pushed.dataset)
        key = _insert_run(connection, read, dataset, baseline.key if baseline else None, worse)
        _insert_parts(connection, key, read)
        number = head.arrived(connection, dataset, key)
        report = read.report
        return Kept(True, read.pushed.id, number, report.verdict, _seen(report.headline))


def _insert_run(
    connection: Connection, read: _Read, dataset: int, baseline: int | None, worse: int
) -> int:
    report, pushed, received = read.report, read.pushed, now()
    return _key(
        connection.execute(
            insert(tables.run).values(
                id=pushed.id,
                dataset=dataset,
                verdict=report.verdict.value,
                exit_code=report.exit_code,
                headline=_seen(report.headline),
                cause=_lead(report),
                title=_seen(report.title),
                created=_created(report, pushed, received),
                received=received,
                commit=pushed.commit,
                branch=pushed.branch,
                person=pushed.person,
                link=pushed.link,
                tool_version=_seen(report.version),
                schema_version=report.schema_version,
                digest=read.digest,
                blob=read.blob,
                documents=read.documents,
                bytes=read.size,
                baseline=baseline,
                worse=worse,
                job=pushed.job,
            )
        )
    )


def _insert_parts(connection: Connection, key: int, read: _Read) -> None:
    report = read.report
    results = [
        {"run": key, "rule": _seen(r.id), "outcome": r.outcome.value, "count": r.count,
         "total": r.total, "share": r.share}
        for r in report.results
    ]  # fmt: skip
    causes = [
        {"run": key, "name": _seen(c.name), "position": at, "certainty": c.certainty,
         "explains": min(sum(e.count for e in c.explains), _TOP)}
        for at, c in enumerate(report.causes)
    ]  # fmt: skip
    named = lookup.metric_keys(connection, tuple(read.metrics))
    metrics = [
        {"run": key, "name": named[name], "value": value} for name, value in read.metrics.items()
    ]
    samples = [
        {"run": key, "rule": _seen(rule), "rows": rows} for rule, rows in read.parts.samples.items()
    ]
    rules = {_seen(r.id): (_seen(r.name), "rule") for r in report.results}
    rules.update({_seen(c.name): (_seen(c.name), "cause") for c in report.causes})
    lookup.name_rules(connection, rules)
    keys = lookup.input_keys(
        connection, [(_seen(i.role), _seen(i.fingerprint), i.rows) for i in report.inputs]
    )
    inputs = [
        {"run": key, "position": at, "path": _seen(one.path), "input": file}
        for at, (one, file) in enumerate(zip(report.inputs, keys, strict=True))
    ]
    for table, rows in (
        (tables.result, results),
        (tables.run_cause, causes),
        (tables.metric, metrics),
        (tables.sample, samples),
        (tables.run_input, inputs),
    ):
        if rows:
            connection.execute(insert(table), rows)


def _lead(report: Report) -> str | None:
    """What leads the report, by its name; None where nothing is wrong."""
    for group in report.by_cause:
        if group.counting or not group.findings or isinstance(group.lead, FoundCause):
            return _seen(group.lead.name)
    broken = [r.name for r in report.results if r.outcome is Outcome.ERROR]
    return _seen(broken[0]) if broken else None


def _created(report: Report, pushed: Pushed, received: int) -> int:
    """When taxcheck ran, by our clock: a client's may be hours off, and says so with the run."""
    moment = _moment(report.created, received)
    if pushed.clock is not None and abs(received - pushed.clock) > _OFF:
        moment += received - pushed.clock
    return max(min(moment, received), 0)


def _moment(created: str, received: int) -> int:
    """The date of a report; when it was received where it has none."""
    try:
        moment = dt.datetime.fromisoformat(created)
        return int(moment.replace(tzinfo=moment.tzinfo or dt.UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        return received


def _seen(text: str) -> str:
    """A text as PostgreSQL takes it: without the character of number 0."""
    return text.replace("\x00", "\ufffd")


def _key(inserted: Any) -> int:
    key: int = inserted.inserted_primary_key[0]
    return key
