"""The clerk's desk: months that close, reviews, explanations, reminders, and life events of enterprises."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add_columns()
    _new_check(
        "enterprise_event",
        "event_kind_is_known",
        "event_kind in ('entered', 'left', 'merged', 'moved_district', 'changed_industry', 'changed_class', "
        "'changed_contact')",
        more={"source_is_known": "source in ('file', 'desk')"},
    )
    _new_check(
        "decision",
        "decision_kind_is_known",
        "decision_kind in ('confirmed', 'returned', 'return_withdrawn', 'explained', 'refused')",
    )
    _create_partial_index(
        "ix_submission_late_revision",
        "submission",
        ["month_start_date"],
        "is_late_revision",
        unique=False,
    )
    _create_partial_index(
        "ix_decision_after_closing", "decision", ["submission_id"], "is_after_closing", unique=False
    )
    _create_spells()
    _create_explanations()
    _create_months()
    _create_reminders()
    _fold_register()


def _add_columns() -> None:
    def text(name: str, length: int | None = None, default: str = "") -> sa.Column[str]:
        return sa.Column(
            name, sa.String(length) if length else sa.Text(), nullable=False, server_default=default
        )

    for column in (
        text("enterprise_class", 16),
        text("successor_code", 64),
        text("contact"),
        text("phone"),
        text("reason"),
        text("source", 8, "file"),
        sa.Column("voided_at", sa.DateTime(timezone=True)),
        text("voided_by"),
        text("void_reason"),
    ):
        op.add_column("enterprise_event", column)
    for name in ("is_late_revision", "is_returned"):
        op.add_column("submission", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    for column in (
        text("fingerprint"),
        text("explanation"),
        text("explanation_origin", 16),
        text("explained_period", 16),
    ):
        op.add_column("finding", column)
    op.add_column(
        "decision", sa.Column("is_after_closing", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def _new_check(table: str, name: str, condition: str, *, more: dict[str, str] | None = None) -> None:
    """Another condition under the name of an old one, and further new ones. SQLite writes the table anew."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
        for each, wanted in {name: condition, **(more or {})}.items():
            op.create_check_constraint(op.f(f"ck_{table}_{each}"), table, wanted)
        return
    # Whether the old condition is found in the table depends on the version of SQLAlchemy: beside the new one it
    # would still refuse what is new.
    old = op.f(f"ck_{table}_{name}")
    is_found = any(each["name"] == old for each in sa.inspect(op.get_bind()).get_check_constraints(table))
    with op.batch_alter_table(table, recreate="always") as batch:
        if is_found:
            batch.drop_constraint(old, type_="check")
        for each, wanted in {name: condition, **(more or {})}.items():
            batch.create_check_constraint(op.f(f"ck_{table}_{each}"), wanted)


def _create_spells() -> None:
    op.create_table(
        "enterprise_spell",
        sa.Column("enterprise_code", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("from_month_start_date", sa.Date(), nullable=True),
        sa.Column("to_month_start_date", sa.Date(), nullable=True),
        sa.Column("district_code", sa.String(length=32), nullable=False),
        sa.Column("industry_code", sa.String(length=32), nullable=False),
        sa.Column("enterprise_class", sa.String(length=16), nullable=False),
        sa.Column("end_kind", sa.String(length=24), nullable=False),
        sa.Column("successor_code", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_code"],
            ["enterprise.enterprise_code"],
            name=op.f("fk_enterprise_spell_enterprise_code"),
        ),
        sa.PrimaryKeyConstraint("enterprise_code", "ordinal", name=op.f("pk_enterprise_spell")),
    )
    op.create_index(op.f("ix_enterprise_spell_district_code"), "enterprise_spell", ["district_code"])


def _create_explanations() -> None:
    op.create_table(
        "explanation",
        sa.Column("explanation_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("submission_id", sa.String(length=20), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("filed_for", sa.String(length=64), nullable=False),
        sa.Column("month_start_date", sa.Date(), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("business_key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reviewed_by", sa.Text(), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "origin in ('remark', 'workbook', 'portal', 'cli', 'review')",
            name=op.f("ck_explanation_origin_is_known"),
        ),
        sa.CheckConstraint(
            "state in ('given', 'accepted', 'refused', 'replaced')",
            name=op.f("ck_explanation_state_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.submission_id"], name=op.f("fk_explanation_submission_id")
        ),
        sa.PrimaryKeyConstraint("explanation_id", name=op.f("pk_explanation")),
    )
    op.create_index(op.f("ix_explanation_filed_for_rule"), "explanation", ["filed_for", "rule"])
    _create_partial_index(
        "uq_explanation_standing",
        "explanation",
        ["submission_id", "ordinal"],
        "state in ('given', 'accepted')",
        unique=True,
    )
    _create_partial_index(
        "ix_explanation_to_be_reviewed", "explanation", ["submission_id"], "state = 'given'", unique=False
    )


def _create_months() -> None:
    op.create_table(
        "month_state",
        sa.Column("month_start_date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("closed_sequence", sa.BigInteger(), nullable=False),
        sa.Column("closed_decision_id", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('closed', 'published', 'revising')", name=op.f("ck_month_state_state_is_known")
        ),
        sa.PrimaryKeyConstraint("month_start_date", name=op.f("pk_month_state")),
    )
    op.create_table(
        "month_act",
        sa.Column("act_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("month_start_date", sa.Date(), nullable=False),
        sa.Column("act_kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("is_proposed_by_analyst", sa.Boolean(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "act_kind in ('close', 'publish', 'reopen')", name=op.f("ck_month_act_act_kind_is_known")
        ),
        sa.CheckConstraint(
            "state in ('proposed', 'confirmed', 'declined', 'withdrawn')",
            name=op.f("ck_month_act_state_is_known"),
        ),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_month_act")),
    )
    op.create_index(op.f("ix_month_act_month_start_date"), "month_act", ["month_start_date"])
    _create_partial_index(
        "uq_month_act_proposed", "month_act", ["month_start_date"], "state = 'proposed'", unique=True
    )


def _create_reminders() -> None:
    op.create_table(
        "reminder",
        sa.Column("reminder_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("month_start_date", sa.Date(), nullable=False),
        sa.Column("enterprise_code", sa.String(length=64), nullable=False),
        sa.Column("reminder_kind", sa.String(length=16), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spoken_to", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "reminder_kind in ('call', 'letter', 'message', 'visit')",
            name=op.f("ck_reminder_reminder_kind_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["enterprise_code"], ["enterprise.enterprise_code"], name=op.f("fk_reminder_enterprise_code")
        ),
        sa.PrimaryKeyConstraint("reminder_id", name=op.f("pk_reminder")),
    )
    op.create_index(
        op.f("ix_reminder_month_start_date_enterprise_code"),
        "reminder",
        ["month_start_date", "enterprise_code"],
    )


def _create_partial_index(name: str, table: str, columns: list[str], condition: str, *, unique: bool) -> None:
    op.create_index(
        name,
        table,
        columns,
        unique=unique,
        sqlite_where=sa.text(condition),
        postgresql_where=sa.text(condition),
    )


def _fold_register() -> None:
    """The spells of the register as revision 0002 told them: each event holds until the next."""
    connection = op.get_bind()
    event = sa.table(
        "enterprise_event",
        sa.column("event_id", sa.Integer),
        sa.column("enterprise_code", sa.String),
        sa.column("effective_month_start_date", sa.Date),
        sa.column("event_kind", sa.String),
        sa.column("district_code", sa.String),
        sa.column("industry_code", sa.String),
        sa.column("is_void", sa.Boolean),
    )
    spell = sa.table(
        "enterprise_spell",
        *(
            sa.column(name, kind)
            for name, kind in (
                ("enterprise_code", sa.String),
                ("ordinal", sa.Integer),
                ("from_month_start_date", sa.Date),
                ("to_month_start_date", sa.Date),
                ("district_code", sa.String),
                ("industry_code", sa.String),
                ("enterprise_class", sa.String),
                ("end_kind", sa.String),
                ("successor_code", sa.String),
            )
        ),
    )
    events = connection.execute(
        sa.select(event)
        .where(event.c.is_void.is_(sa.false()))
        .order_by(event.c.enterprise_code, event.c.event_id)
    ).all()
    rows: list[dict[str, Any]] = []
    for code, members in groupby(events, key=lambda row: row.enterprise_code):
        listed = list(members)
        ordinal = 0
        for this, following in zip(listed, [*listed[1:], None], strict=True):
            if this.event_kind == "left":
                continue
            ordinal += 1
            ends = following.effective_month_start_date if following is not None else None
            rows.append(
                {
                    "enterprise_code": code,
                    "ordinal": ordinal,
                    "from_month_start_date": this.effective_month_start_date,
                    "to_month_start_date": _month_before(ends) if ends else None,
                    "district_code": this.district_code,
                    "industry_code": this.industry_code,
                    "enterprise_class": "",
                    "end_kind": "left" if following is not None and following.event_kind == "left" else "",
                    "successor_code": "",
                }
            )
    if rows:
        connection.execute(sa.insert(spell), rows)


def _month_before(day: date) -> date:
    return date(day.year - 1, 12, 1) if day.month == 1 else date(day.year, day.month - 1, 1)
