"""The tables that the first release with a server had."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all of them."""
    op.create_table(
        "audit_log",
        sa.Column("key", KEY, autoincrement=True, nullable=False),
        sa.Column("moment", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.String(length=255), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_audit_log"),
    )
    op.create_table(
        "input",
        sa.Column("key", KEY, autoincrement=True, nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("fingerprint", sa.String(length=100), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_input"),
        sa.UniqueConstraint("role", "fingerprint", name="uq_input_role_fingerprint"),
    )
    op.create_table(
        "metric_name",
        sa.Column("key", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_metric_name"),
        sa.UniqueConstraint("name", name="uq_metric_name_name"),
    )
    op.create_table(
        "project",
        sa.Column("key", KEY, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_project"),
        sa.UniqueConstraint("name", name="uq_project_name"),
    )
    op.create_table(
        "rule",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=5), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rule"),
    )
    op.create_table(
        "dataset",
        sa.Column("key", KEY, autoincrement=True, nullable=False),
        sa.Column("project", KEY, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("newest", KEY, nullable=True),
        sa.Column("newest_pass", KEY, nullable=True),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("recent", sa.Text(), nullable=False),
        sa.Column("baseline", KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["project"], ["project.key"], name="fk_dataset_project", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name="pk_dataset"),
        sa.UniqueConstraint("project", "name", name="uq_dataset_project_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "token",
        sa.Column("key", KEY, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("parent", KEY, nullable=True),
        sa.Column("project", KEY, nullable=True),
        sa.Column("scopes", sa.String(length=40), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.Column("used", sa.BigInteger(), nullable=True),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["parent"], ["token.key"], name="fk_token_parent", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project"], ["project.key"], name="fk_token_project", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name="pk_token"),
        sa.UniqueConstraint("hash", name="uq_token_hash"),
    )
    op.create_index("ix_token_parent", "token", ["parent"], unique=False)
    op.create_table(
        "upload",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("project", KEY, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project"], ["project.key"], name="fk_upload_project", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_upload"),
    )
    op.create_table(
        "webhook",
        sa.Column("key", KEY, autoincrement=True, nullable=False),
        sa.Column("project", KEY, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("style", sa.String(length=10), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("events", sa.String(length=60), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project"], ["project.key"], name="fk_webhook_project", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name="pk_webhook"),
    )
    op.create_table(
        "job",
        sa.Column("key", KEY, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("dataset", KEY, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("person", sa.String(length=255), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=True),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("lease", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=100), nullable=True),
        sa.Column("cancelling", sa.Boolean(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=True),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("exit_code", sa.SmallInteger(), nullable=True),
        sa.Column("run", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["dataset"], ["dataset.key"], name="fk_job_dataset", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name="pk_job"),
        sa.UniqueConstraint("id", name="uq_job_id"),
    )
    op.create_index("ix_job_state_lease", "job", ["state", "lease"], unique=False)
    op.create_table(
        "run",
        sa.Column("key", KEY, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("dataset", KEY, nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("cause", sa.String(length=100), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=True),
        sa.Column("branch", sa.String(length=255), nullable=True),
        sa.Column("person", sa.String(length=255), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("tool_version", sa.String(length=40), nullable=False),
        sa.Column("schema_version", sa.String(length=10), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("blob", sa.String(length=64), nullable=False),
        sa.Column("documents", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("baseline", KEY, nullable=True),
        sa.Column("worse", sa.Integer(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("erased", sa.Boolean(), nullable=False),
        sa.Column("job", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["dataset"], ["dataset.key"], name="fk_run_dataset", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name="pk_run"),
        sa.UniqueConstraint("id", name="uq_run_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_run_blob", "run", ["blob"], unique=False)
    op.create_index("ix_run_created_key", "run", ["created", "key"], unique=False)
    op.create_index(
        "ix_run_dataset_created_key", "run", ["dataset", "created", "key"], unique=False
    )
    op.create_index(
        "ix_run_dataset_verdict_created_key",
        "run",
        ["dataset", "verdict", "created", "key"],
        unique=False,
    )
    op.create_index("ix_run_documents", "run", ["documents"], unique=False)
    op.create_index(
        "ix_run_verdict_created_key", "run", ["verdict", "created", "key"], unique=False
    )
    op.create_table(
        "annotation",
        sa.Column("key", KEY, autoincrement=True, nullable=False),
        sa.Column("run", KEY, nullable=False),
        sa.Column("person", sa.String(length=255), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.key"], name="fk_annotation_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name="pk_annotation"),
    )
    op.create_index("ix_annotation_run", "annotation", ["run"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("key", KEY, autoincrement=True, nullable=False),
        sa.Column("webhook", KEY, nullable=False),
        sa.Column("run", KEY, nullable=False),
        sa.Column("event", sa.String(length=10), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=True),
        sa.Column("line", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["run.key"], name="fk_delivery_run", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["webhook"], ["webhook.key"], name="fk_delivery_webhook", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", name="pk_delivery"),
        sa.UniqueConstraint("webhook", "run", "event", name="uq_delivery_webhook_run_event"),
    )
    op.create_index("ix_delivery_sent_due", "delivery", ["sent", "due"], unique=False)
    op.create_table(
        "metric",
        sa.Column("run", KEY, nullable=False),
        sa.Column("name", sa.Integer(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["name"], ["metric_name.key"], name="fk_metric_name"),
        sa.ForeignKeyConstraint(["run"], ["run.key"], name="fk_metric_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "name", name="pk_metric"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "result",
        sa.Column("run", KEY, nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("share", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["run.key"], name="fk_result_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "rule", name="pk_result"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_result_fired",
        "result",
        ["rule", "run"],
        unique=False,
        sqlite_where=sa.text("outcome IN ('error', 'fail', 'warn')"),
        postgresql_where=sa.text("outcome IN ('error', 'fail', 'warn')"),
    )
    op.create_table(
        "run_cause",
        sa.Column("run", KEY, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("certainty", sa.String(length=8), nullable=False),
        sa.Column("explains", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.key"], name="fk_run_cause_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "name", name="pk_run_cause"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_cause_name_run", "run_cause", ["name", "run"], unique=False)
    op.create_table(
        "run_input",
        sa.Column("run", KEY, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("input", KEY, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["input"], ["input.key"], name="fk_run_input_input", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run"], ["run.key"], name="fk_run_input_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "position", name="pk_run_input"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_input_input", "run_input", ["input"], unique=False)
    op.create_table(
        "sample",
        sa.Column("run", KEY, nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.key"], name="fk_sample_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "rule", name="pk_sample"),
        sqlite_with_rowid=False,
    )
