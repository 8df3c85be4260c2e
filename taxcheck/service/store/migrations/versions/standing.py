"""What tells how a dataset stands: whether a run ends the job that made it, and which came last."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Of runs before, what is known is the verdict: a warning of `--fail-on warn` counts as it did.
_EXIT_CODES = (
    "UPDATE run SET exit_code = CASE verdict WHEN 'fail' THEN 1 WHEN 'error' THEN 4 "
    "WHEN 'skipped' THEN 3 ELSE 0 END"
)
_LATEST = "UPDATE dataset SET latest = (SELECT max(key) FROM run WHERE run.dataset = dataset.key)"


def upgrade() -> None:
    """Add the columns, and fill them in for the runs that are there."""
    code = sa.Column("exit_code", sa.SmallInteger(), nullable=False, server_default="0")
    op.add_column("run", code)
    op.add_column("dataset", sa.Column("latest", KEY, nullable=True))
    op.execute(_EXIT_CODES)
    op.execute(_LATEST)
