"""The tables, the same on SQLite and on PostgreSQL.

Moments are whole milliseconds since 1970-01-01 UTC. What grows with the runs (``result``,
``metric``) holds numbers and short names alone; the report itself is a file (``blobs.py``).
``migrations/`` holds how a database comes to have these tables; a test holds both equal.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)
_KEY = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself only an Integer


def _key() -> Column[int]:
    return Column("key", _KEY, primary_key=True, autoincrement=True)


def _of(
    column: str, table: str, *, primary_key: bool = False, index: bool = False, needed: bool = True
) -> Column[int]:
    """A column that holds the key of a row of another table; what belongs to a row goes with it."""
    owner = ForeignKey(f"{table}.key", ondelete="CASCADE")
    return Column(column, _KEY, owner, primary_key=primary_key, index=index, nullable=not needed)


project = Table(
    "project",
    metadata,
    _key(),
    Column("name", String(100), nullable=False, unique=True),
    Column("created", BigInteger, nullable=False),
)

dataset = Table(
    "dataset",
    metadata,
    _key(),
    _of("project", "project"),
    Column("name", String(100), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("newest", _KEY),  # key of its newest run
    Column("latest", _KEY),  # key of the run that came last, whatever its date
    Column("newest_pass", _KEY),  # a warning passes too, unless `--fail-on warn` made it fail
    Column("failing_since", BigInteger),  # of the first run that failed after the newest pass
    Column("runs", Integer, nullable=False, default=0),
    Column("recent", Text, nullable=False, default="[]"),  # its last 50 runs, for the strip (JSON)
    Column("baseline", _KEY),  # key of the run that others are held against; null: the newest pass
    UniqueConstraint("project", "name"),
    sqlite_autoincrement=True,
)

run = Table(
    "run",
    metadata,
    _key(),
    Column("id", String(64), nullable=False, unique=True),  # the client chose it
    _of("dataset", "dataset"),
    Column("verdict", String(8), nullable=False),
    Column("exit_code", SmallInteger, nullable=False, server_default="0"),  # of its command
    Column("headline", Text, nullable=False),
    Column("cause", String(100)),  # what leads: a cause, else a rule; null where nothing is wrong
    Column("title", Text, nullable=False),
    Column("created", BigInteger, nullable=False),  # when taxcheck ran, no later than received
    Column("received", BigInteger, nullable=False),
    Column("commit", String(64)),
    Column("branch", String(255)),
    Column("person", String(255)),
    Column("link", Text),  # of the CI job, http or https
    Column("tool_version", String(40), nullable=False),
    Column("schema_version", String(10), nullable=False),
    Column("digest", String(64), nullable=False),  # blake3 of the bytes that were pushed
    Column("blob", String(64), nullable=False),  # blake3 of the file that holds the report
    Column("documents", String(64), nullable=False),  # and the texts of its rules, which many share
    Column("bytes", BigInteger, nullable=False),  # of the file that holds the report
    Column("baseline", _KEY),  # the run that this one was held against when it came
    Column("worse", Integer, nullable=False, default=0),  # scores worse than in the baseline
    Column("pinned", Boolean, nullable=False, default=False),
    Column("erased", Boolean, nullable=False, default=False),  # its samples were
    Column("job", String(32)),  # id of the job that made it; null where it was pushed
    Index(None, "dataset", "created", "key"),
    Index(None, "dataset", "verdict", "created", "key"),
    Index(None, "verdict", "created", "key"),
    Index(None, "created", "key"),
    Index(None, "blob"),
    Index(None, "documents"),
    sqlite_autoincrement=True,  # a key is never given twice, and what names it never means another
)

input_file = Table(
    "input",
    metadata,
    _key(),
    Column("role", String(20), nullable=False),
    Column("fingerprint", String(100), nullable=False),
    Column("rows", BigInteger, nullable=False),
    UniqueConstraint("role", "fingerprint"),
)

run_input = Table(
    "run_input",
    metadata,
    _of("run", "run", primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    _of("input", "input", index=True),
    Column("path", Text, nullable=False),
    sqlite_with_rowid=False,
)

result = Table(
    "result",
    metadata,
    _of("run", "run", primary_key=True),
    Column("rule", String(100), primary_key=True),
    Column("outcome", String(8), nullable=False),
    Column("count", BigInteger),
    Column("total", BigInteger),
    Column("share", Float),
    sqlite_with_rowid=False,
)
FIRED = text("outcome IN ('error', 'fail', 'warn')")  # as it is written, the index is found
Index("ix_result_fired", result.c.rule, result.c.run, sqlite_where=FIRED, postgresql_where=FIRED)

rule = Table(  # names of rules and causes that were ever seen, ours and plugins'
    "rule",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("kind", String(5), nullable=False),  # "rule" or "cause"
)

run_cause = Table(
    "run_cause",
    metadata,
    _of("run", "run", primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("position", SmallInteger, nullable=False),  # 0 leads
    Column("certainty", String(8), nullable=False),
    Column("explains", BigInteger, nullable=False),  # offenders, of all findings
    Index(None, "name", "run"),
    sqlite_with_rowid=False,
)

metric_name = Table(
    "metric_name",
    metadata,
    Column("key", Integer, primary_key=True, autoincrement=True),
    Column("name", String(200), nullable=False, unique=True),
)

metric = Table(
    "metric",
    metadata,
    _of("run", "run", primary_key=True),
    Column("name", Integer, ForeignKey("metric_name.key"), primary_key=True),
    Column("value", Float, nullable=False),
    sqlite_with_rowid=False,
)

sample = Table(  # erased without the run: they hold names of nodes
    "sample",
    metadata,
    _of("run", "run", primary_key=True),
    Column("rule", String(100), primary_key=True),
    Column("rows", Text, nullable=False),  # as the report had them, JSON
    sqlite_with_rowid=False,
)

upload = Table(
    "upload",
    metadata,
    Column("id", String(32), primary_key=True),
    _of("project", "project"),
    Column("name", String(255), nullable=False),  # of the file, for people and its suffix
    Column("size", BigInteger, nullable=False),
    Column("digest", String(64)),  # blake3, once all is there; until then the file says how much is
    Column("created", BigInteger, nullable=False),
)

job = Table(
    "job",
    metadata,
    _key(),
    Column("id", String(32), nullable=False, unique=True),
    _of("dataset", "dataset"),
    Column("kind", String(10), nullable=False),  # "gate", "audit", "build" or "fix"
    Column("asked", Text, nullable=False),  # the inputs and options, JSON
    Column("person", String(255)),
    Column("state", String(10), nullable=False),  # queued, running, done, failed, cancelled
    Column("created", BigInteger, nullable=False),
    Column("started", BigInteger),
    Column("ended", BigInteger),
    Column("lease", BigInteger, nullable=False, default=0),  # until when the worker has it
    Column("fence", Integer, nullable=False, default=0),  # grows each time that it is taken up
    Column("attempts", Integer, nullable=False, default=0),
    Column("worker", String(100)),
    Column("cancelling", Boolean, nullable=False, default=False),
    Column("progress", Text),  # JSON: stage, done, whole
    Column("log", Text, nullable=False, default=""),  # its last 64 KiB
    Column("line", Text),  # of a failure, the one that the command line prints
    Column("exit_code", SmallInteger),
    Column("run", String(64)),  # id of the run that came of it
    Column("outcome", LargeBinary),  # of a plan or a build: what it says, JSON
    Index(None, "state", "lease"),
)

token = Table(
    "token",
    metadata,
    _key(),
    Column("name", String(100), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),  # SHA-256 of 256 random bits
    _of("parent", "token", index=True, needed=False),  # of a session: the token it was made from
    _of("project", "project", needed=False),  # null: of all projects
    Column("scopes", String(40), nullable=False),  # of push, read, run, admin, watch, by blanks
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("used", BigInteger),
    Column("revoked", BigInteger),
)

webhook = Table(
    "webhook",
    metadata,
    _key(),
    _of("project", "project"),
    Column("url", Text, nullable=False),
    Column("style", String(10), nullable=False),  # "json" or "slack"
    Column("secret", String(64), nullable=False),  # signs what is sent
    Column("events", String(60), nullable=False),  # of failure, recovery, regression, by blanks
    Column("created", BigInteger, nullable=False),
    Column("paused", Boolean, nullable=False, default=False),
)

delivery = Table(
    "delivery",
    metadata,
    _key(),
    _of("webhook", "webhook"),
    _of("run", "run"),
    Column("event", String(10), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),  # when it is tried next
    Column("lease", BigInteger, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("sent", BigInteger),
    Column("line", Text),  # why the last try failed
    UniqueConstraint("webhook", "run", "event"),
    Index(None, "sent", "due"),
)

annotation = Table(
    "annotation",
    metadata,
    _key(),
    _of("run", "run", index=True),
    Column("person", String(255)),
    Column("text", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
)

audit_log = Table(  # who changed what; reading is not written down
    "audit_log",
    metadata,
    _key(),
    Column("moment", BigInteger, nullable=False),
    Column("person", String(255), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", Text, nullable=False),
)
