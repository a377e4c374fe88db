"""The audit log, which refuses to be changed; accounts with their roles, sessions and failed sign-ins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_REFUSAL = "the audit log is only ever added to"


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("account_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("is_password_one_time", sa.Boolean(), nullable=False),
        sa.Column("password_set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("totp_secret", sa.Text(), nullable=False),
        sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=False),
        sa.Column("oidc_identity", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('active', 'locked', 'reset')", name=op.f("ck_account_state_is_known")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
        sa.UniqueConstraint("oidc_identity", name=op.f("uq_account_oidc_identity")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object_kind", sa.String(length=32), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("old", sa.JSON(), nullable=True),
        sa.Column("new", sa.JSON(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("entry_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_action"), "audit_entry", ["action"], unique=False)
    op.create_index(op.f("ix_audit_entry_actor"), "audit_entry", ["actor"], unique=False)
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False)
    op.create_index(
        op.f("ix_audit_entry_object_kind_object_id"),
        "audit_entry",
        ["object_kind", "object_id"],
        unique=False,
    )
    op.create_table(
        "audit_head",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("entry_hash", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("throttle_key", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("failed_at", sa.JSON(), nullable=False),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("throttle_key", name=op.f("pk_sign_in_failure")),
    )
    op.create_index(op.f("ix_sign_in_failure_account_id"), "sign_in_failure", ["account_id"], unique=False)
    op.create_index(
        op.f("ix_sign_in_failure_last_failed_at"), "sign_in_failure", ["last_failed_at"], unique=False
    )
    op.create_table(
        "account_role",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_account_role_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "role", name=op.f("pk_account_role")),
    )
    op.create_table(
        "account_scope",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("scope_kind", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "scope_kind in ('enterprise', 'district')", name=op.f("ck_account_scope_scope_kind_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_account_scope_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "scope_kind", "code", name=op.f("pk_account_scope")),
    )
    op.create_index(op.f("ix_account_scope_code"), "account_scope", ["code"], unique=False)
    op.create_table(
        "account_session",
        sa.Column("session_id", sa.String(length=24), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_why", sa.String(length=32), nullable=False),
        sa.CheckConstraint(
            "stage in ('code_awaited', 'complete')", name=op.f("ck_account_session_stage_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_account_session_account_id")
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_account_session")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_account_session_token_sha256")),
    )
    op.create_index(op.f("ix_account_session_account_id"), "account_session", ["account_id"], unique=False)
    op.create_table(
        "password_history",
        sa.Column("history_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_password_history_account_id")
        ),
        sa.PrimaryKeyConstraint("history_id", name=op.f("pk_password_history")),
    )
    op.create_index(op.f("ix_password_history_account_id"), "password_history", ["account_id"], unique=False)
    head = sa.table("audit_head", *map(sa.column, ("name", "sequence", "entry_hash", "key_id", "seal")))
    op.bulk_insert(head, [{"name": "audit", "sequence": 0, "entry_hash": "0" * 64, "key_id": "", "seal": ""}])
    # Whoever may change tables can drop these; the chain of hashes is for them. These stop slips and injections.
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "create function refuse_audit_change() returns trigger language plpgsql as $$ "
            f"begin raise exception '{_REFUSAL}'; end $$"
        )
        op.execute(
            "create trigger audit_entry_is_kept before update or delete or truncate on audit_entry "
            "for each statement execute function refuse_audit_change()"
        )
    else:
        for act in ("update", "delete"):
            op.execute(
                f"create trigger audit_entry_no_{act} before {act} on audit_entry "
                f"begin select raise(abort, '{_REFUSAL}'); end"
            )
