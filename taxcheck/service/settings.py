"""How a server is set up: what `taxcheck serve` and `taxcheck worker` are told.

Each setting is an option of the command, or ``TAXCHECK_SERVICE_`` and its name in the environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PORT = 8740


@dataclass(frozen=True, slots=True)
class Settings:
    """One server; bytes and seconds unless said otherwise."""

    data: Path = Path("taxcheck-data")  # database, reports, uploads
    database: str | None = None  # an SQLAlchemy URL; None: SQLite in ``data``
    reports: str | None = None  # folder or bucket of the reports (pyarrow.fs); None: in ``data``
    host: str = "127.0.0.1"
    port: int = PORT
    names: tuple[str, ...] = ()  # host names that it is reached by, beside localhost
    open: bool = False  # no access control; only on a loopback address
    user_header: str | None = None  # in which a trusted proxy names the person
    proxies: tuple[str, ...] = ()  # addresses of trusted proxies
    admins: tuple[str, ...] = ()  # persons, as the proxy names them, with every scope
    prefixes: tuple[Path, ...] = ()  # folders of this machine that jobs may read
    workers: int = 1  # jobs at once inside `serve`; 0: `taxcheck worker` runs them
    report_bytes: int = 32 << 20  # the largest report that is taken
    report_depth: int = 64  # of nested values in it
    upload_bytes: int = 8 << 30  # the largest file
    upload_hours: int = 24  # an upload that nobody goes on with is removed
    job_seconds: int = 3600
    job_bytes: int = 8 << 30  # memory of a job
    job_niceness: int = 10  # by which a job stands back behind the server
    result_days: int = 7  # what a build made can be fetched for so long
    lease: int = 30  # a worker that is silent for so long has lost its job
    attempts: int = 3  # of a job
    address: str | None = None  # https://…, as people reach it: messages link to it
    webhook_http: bool = False  # messages may go to http:// too
    keep_days: int = 400
    keep_runs: int = 100  # of each dataset, however old
    pushes: int = 600  # a minute and token, before 429

    @property
    def database_url(self) -> str:
        """Where the database is."""
        return self.database or f"sqlite:///{self.data.absolute() / 'taxcheck.db'}"
