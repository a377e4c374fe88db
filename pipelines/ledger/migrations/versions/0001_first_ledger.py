"""The first ledger: register, submissions with versions and arrivals, findings, fixes, decisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batch",
        sa.Column("batch_id", sa.String(length=40), nullable=False),
        sa.Column("lines_file", sa.Text(), nullable=False),
        sa.Column("rules_version", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submission_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_batch")),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "enterprise",
        sa.Column("enterprise_code", sa.String(length=64), nullable=False),
        sa.Column("enterprise_name", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("enterprise_code", name=op.f("pk_enterprise")),
    )
    op.create_table(
        "enterprise_event",
        sa.Column("event_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("enterprise_code", sa.String(length=64), nullable=False),
        sa.Column("effective_month_start_date", sa.Date(), nullable=True),
        sa.Column("event_kind", sa.String(length=24), nullable=False),
        sa.Column("district_code", sa.String(length=32), nullable=False),
        sa.Column("industry_code", sa.String(length=32), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "event_kind in ('entered', 'left', 'moved_district', 'changed_industry')",
            name=op.f("ck_enterprise_event_event_kind_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["enterprise_code"],
            ["enterprise.enterprise_code"],
            name=op.f("fk_enterprise_event_enterprise_code"),
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_enterprise_event")),
    )
    op.create_index(
        op.f("ix_enterprise_event_enterprise_code"), "enterprise_event", ["enterprise_code"], unique=False
    )
    op.create_table(
        "submission",
        sa.Column("submission_id", sa.String(length=20), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("form_codes", sa.JSON(), nullable=False),
        sa.Column("layout_versions", sa.JSON(), nullable=False),
        sa.Column("enterprise_code", sa.String(length=64), nullable=False),
        sa.Column("enterprise_name", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=True),
        sa.Column("period_kind", sa.String(length=16), nullable=True),
        sa.Column("period_start_date", sa.Date(), nullable=True),
        sa.Column("month_start_date", sa.Date(), nullable=True),
        sa.Column("series_key", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("supersedes_submission_id", sa.String(length=20), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("is_zero_return", sa.Boolean(), nullable=False),
        sa.Column("is_revision", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("lines_file", sa.Text(), nullable=False),
        sa.Column("rules_version", sa.String(length=64), nullable=False),
        sa.Column("batch_id", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "kind in ('return', 'department', 'unknown')", name=op.f("ck_submission_kind_is_known")
        ),
        sa.CheckConstraint(
            "status in ('accepted', 'queries', 'rejected', 'unreadable')",
            name=op.f("ck_submission_status_is_known"),
        ),
        sa.CheckConstraint(
            "verdict in ('accepted', 'queries', 'rejected', 'unreadable')",
            name=op.f("ck_submission_verdict_is_known"),
        ),
        sa.CheckConstraint(
            "(series_key is null) = (version is null)",
            name=op.f("ck_submission_a_version_is_a_version_of_something"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.batch_id"], name=op.f("fk_submission_batch_id")),
        sa.ForeignKeyConstraint(
            ["supersedes_submission_id"],
            ["submission.submission_id"],
            name=op.f("fk_submission_supersedes_submission_id"),
        ),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_submission")),
        sa.UniqueConstraint("sequence", name=op.f("uq_submission_sequence")),
        sa.UniqueConstraint("series_key", "version", name=op.f("uq_submission_series_key_version")),
        sa.UniqueConstraint("sha256", name=op.f("uq_submission_sha256")),
    )
    op.create_index(
        op.f("ix_submission_enterprise_code_month_start_date"),
        "submission",
        ["enterprise_code", "month_start_date"],
        unique=False,
    )
    op.create_index(op.f("ix_submission_month_start_date"), "submission", ["month_start_date"], unique=False)
    op.create_index(op.f("ix_submission_status"), "submission", ["status"], unique=False)
    op.create_table(
        "decision",
        sa.Column("decision_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("submission_id", sa.String(length=20), nullable=False),
        sa.Column("decision_kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status_before", sa.String(length=16), nullable=False),
        sa.Column("status_after", sa.String(length=16), nullable=False),
        sa.CheckConstraint("decision_kind in ('confirmed')", name=op.f("ck_decision_decision_kind_is_known")),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name=op.f("fk_decision_submission_id")
        ),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_submission_id"), "decision", ["submission_id"], unique=False)
    op.create_table(
        "filing",
        sa.Column("filing_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("submission_id", sa.String(length=20), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column("is_duplicate", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name=op.f("fk_filing_submission_id")
        ),
        sa.PrimaryKeyConstraint("filing_id", name=op.f("pk_filing")),
        sa.UniqueConstraint(
            "submission_id",
            "channel",
            "file_name",
            "received_at",
            name=op.f("uq_filing_submission_id_channel_file_name_received_at"),
        ),
    )
    op.create_table(
        "finding",
        sa.Column("submission_id", sa.String(length=20), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("form_code", sa.String(length=16), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("cell", sa.Text(), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("message_zh", sa.Text(), nullable=False),
        sa.Column("message_en", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name=op.f("fk_finding_submission_id")
        ),
        sa.PrimaryKeyConstraint("submission_id", "ordinal", name=op.f("pk_finding")),
    )
    op.create_index(op.f("ix_finding_rule"), "finding", ["rule"], unique=False)
    op.create_table(
        "fix",
        sa.Column("submission_id", sa.String(length=20), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("cell", sa.Text(), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.Column("read_as", sa.Text(), nullable=False),
        sa.Column("why_zh", sa.Text(), nullable=False),
        sa.Column("why_en", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name=op.f("fk_fix_submission_id")
        ),
        sa.PrimaryKeyConstraint("submission_id", "ordinal", name=op.f("pk_fix")),
    )
    op.create_table(
        "submission_form",
        sa.Column("submission_id", sa.String(length=20), nullable=False),
        sa.Column("form_code", sa.String(length=16), nullable=False),
        sa.Column("first_date", sa.Date(), nullable=True),
        sa.Column("last_date", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name=op.f("fk_submission_form_submission_id")
        ),
        sa.PrimaryKeyConstraint("submission_id", "form_code", name=op.f("pk_submission_form")),
    )
    op.create_index(op.f("ix_submission_form_form_code"), "submission_form", ["form_code"], unique=False)
    op.execute("insert into counter (name, value) values ('submission', 0)")
