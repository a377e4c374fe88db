"""The ledger's tables, as SQLAlchemy Core describes them; `migrations/` is how a database gets there.

No queries here, and no money: amounts stand in the lines, the ledger says who filed what, when, and what
was found and decided.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)


class Instant(TypeDecorator[datetime]):
    """A moment, kept in UTC and always given back with its zone; a moment without a zone is refused.

    PostgreSQL keeps the zone itself; SQLite does not, and two databases must not differ by eight hours.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; the ledger keeps moments, not wall clocks")
        in_utc = value.astimezone(UTC)
        return in_utc if dialect.name == "postgresql" else in_utc.replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# One row a counter. Adding to it is the first statement of every recording transaction: it hands out numbers
# without gaps and, being a row lock on PostgreSQL as on SQLite, lets recordings through one at a time.
counter = Table(
    "counter",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

enterprise = Table(
    "enterprise",
    metadata,
    Column("enterprise_code", String(64), primary_key=True),
    Column("enterprise_name", Text, nullable=False),
    Column("contact", Text, nullable=False, default=""),
    Column("phone", Text, nullable=False, default=""),
    Column("recorded_at", Instant, nullable=False),
)

# The register is a list of dated events; the spells that the warehouse sees are folded from them. A row that
# a later import contradicts is kept and marked void.
enterprise_event = Table(
    "enterprise_event",
    metadata,
    Column("event_id", Integer, primary_key=True, autoincrement=True),
    Column(
        "enterprise_code", String(64), ForeignKey("enterprise.enterprise_code"), nullable=False, index=True
    ),
    # First month in which it holds; empty: as far back as the register goes.
    Column("effective_month_start_date", Date),
    Column("event_kind", String(24), nullable=False),  # shapes.EventKind
    # What the event says; what it leaves empty stays as it was.
    Column("district_code", String(32), nullable=False, default=""),
    Column("industry_code", String(32), nullable=False, default=""),
    Column("enterprise_class", String(16), nullable=False, server_default="", default=""),
    Column("successor_code", String(64), nullable=False, server_default="", default=""),  # of a merged one
    Column("contact", Text, nullable=False, server_default="", default=""),
    Column("phone", Text, nullable=False, server_default="", default=""),
    Column("reason", Text, nullable=False, server_default="", default=""),
    # file: a later register file replaces it; desk: recorded by a person, stands until it is voided.
    Column("source", String(8), nullable=False, server_default="file", default="file"),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Text, nullable=False, default=""),
    Column("is_void", Boolean, nullable=False, default=False),
    Column("voided_at", Instant),
    Column("voided_by", Text, nullable=False, server_default="", default=""),
    Column("void_reason", Text, nullable=False, server_default="", default=""),
    CheckConstraint(
        "event_kind in ('entered', 'left', 'merged', 'moved_district', 'changed_industry', 'changed_class', "
        "'changed_contact')",
        name="event_kind_is_known",
    ),
    CheckConstraint("source in ('file', 'desk')", name="source_is_known"),
)

# The register as spells, folded from the events whenever those of an enterprise change: what is asked a thousand
# times as often as it changes. `register.fold` is how; nothing else writes here.
enterprise_spell = Table(
    "enterprise_spell",
    metadata,
    Column("enterprise_code", String(64), ForeignKey("enterprise.enterprise_code"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("from_month_start_date", Date),  # empty: as far back as the register goes
    Column("to_month_start_date", Date),  # last month in which it holds; empty: still
    Column("district_code", String(32), nullable=False),
    Column("industry_code", String(32), nullable=False),
    Column("enterprise_class", String(16), nullable=False),
    Column("end_kind", String(24), nullable=False),  # left or merged where the enterprise goes with it
    Column("successor_code", String(64), nullable=False),
    Index(None, "district_code"),
)

batch = Table(
    "batch",
    metadata,
    Column("batch_id", String(40), primary_key=True),
    Column("lines_file", Text, nullable=False),
    Column("rules_version", String(64), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("submission_count", Integer, nullable=False),
)

submission = Table(
    "submission",
    metadata,
    Column("submission_id", String(20), primary_key=True),
    Column("sequence", BigInteger, nullable=False, unique=True),  # order of recording, without gaps
    # records.identity_of: the digest of the bytes, and of them and a number where the same bytes were judged again.
    Column("identity_sha256", String(64), nullable=False),
    Column("sha256", String(64), nullable=False, server_default="", index=True),  # of the bytes
    Column("kind", String(16), nullable=False),  # records.FileKind
    Column("form_codes", JSON, nullable=False),  # in the order of the sheets
    Column("layout_versions", JSON, nullable=False),
    Column("enterprise_code", String(64), nullable=False, default=""),
    Column("enterprise_name", Text, nullable=False, default=""),
    Column("department", Text, nullable=False, default=""),
    Column("period", String(16)),  # str(Period); empty where none could be read
    Column("period_kind", String(16)),
    Column("period_start_date", Date),
    Column("month_start_date", Date, index=True),  # of the last month of the period: where it is counted
    # What this is a version of: return/<enterprise>/<period> or department/<department>/<forms>/<period>.
    Column("series_key", Text),
    Column("version", Integer),
    Column("supersedes_submission_id", String(20), ForeignKey("submission.submission_id")),
    Column("verdict", String(16), nullable=False),  # at the door; never changes
    Column("status", String(16), nullable=False, index=True),  # now
    Column("is_zero_return", Boolean, nullable=False),
    Column("is_revision", Boolean, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("received_by", Text, nullable=False, default=""),
    Column("channel", String(32), nullable=False),
    Column("is_late", Boolean, nullable=False),
    # Filed while a month of its period was closed: counts for nothing until that month is revised.
    Column("is_late_revision", Boolean, nullable=False, server_default=false(), default=False),
    # A reviewer sent it back; its status is then that of a rejected one.
    Column("is_returned", Boolean, nullable=False, server_default=false(), default=False),
    Column("file_name", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("lines_file", Text, nullable=False),  # below the lines root; empty where nothing could be read
    Column("rules_version", String(64), nullable=False),
    Column("batch_id", String(40), ForeignKey("batch.batch_id"), nullable=False),
    UniqueConstraint("identity_sha256", name="uq_submission_sha256"),
    UniqueConstraint("series_key", "version"),
    Index(None, "enterprise_code", "month_start_date"),
    Index(
        "ix_submission_late_revision",
        "month_start_date",
        sqlite_where=text("is_late_revision"),
        postgresql_where=text("is_late_revision"),
    ),
    CheckConstraint("kind in ('return', 'department', 'unknown')", name="kind_is_known"),
    CheckConstraint("verdict in ('accepted', 'queries', 'rejected', 'unreadable')", name="verdict_is_known"),
    CheckConstraint("status in ('accepted', 'queries', 'rejected', 'unreadable')", name="status_is_known"),
    CheckConstraint("(series_key is null) = (version is null)", name="a_version_is_a_version_of_something"),
)

# Which forms a submission holds and, where its rows carry periods of their own (departmental tables), the
# first and last day that they speak of: a reader of exchange rates opens only the files that can matter.
submission_form = Table(
    "submission_form",
    metadata,
    Column("submission_id", String(20), ForeignKey("submission.submission_id"), primary_key=True),
    Column("form_code", String(16), primary_key=True, index=True),
    Column("first_date", Date),
    Column("last_date", Date),
)

# Every time a file arrived, also when its bytes were known already: nothing received is lost.
filing = Table(
    "filing",
    metadata,
    Column("filing_id", Integer, primary_key=True, autoincrement=True),
    Column("submission_id", String(20), ForeignKey("submission.submission_id"), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("channel", String(32), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("received_by", Text, nullable=False, default=""),
    Column("is_duplicate", Boolean, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    # The same arrival told twice (a run that was killed and repeated) is one arrival.
    UniqueConstraint("submission_id", "channel", "file_name", "received_at"),
)

finding = Table(
    "finding",
    metadata,
    Column("submission_id", String(20), ForeignKey("submission.submission_id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("rule", String(32), nullable=False, index=True),
    Column("severity", String(16), nullable=False),
    Column("form_code", String(16), nullable=False),
    Column("sheet", Text, nullable=False),
    Column("cell", Text, nullable=False),
    Column("business_key", Text, nullable=False),
    Column("given", Text, nullable=False),
    Column("expected", Text, nullable=False),
    Column("message_zh", Text, nullable=False),
    Column("message_en", Text, nullable=False),
    # Findings.Finding: what makes it the same query, and the reason for which it is none any more.
    Column("fingerprint", Text, nullable=False, server_default="", default=""),
    Column("explanation", Text, nullable=False, server_default="", default=""),
    Column("explanation_origin", String(16), nullable=False, server_default="", default=""),
    Column("explained_period", String(16), nullable=False, server_default="", default=""),
)

fix = Table(
    "fix",
    metadata,
    Column("submission_id", String(20), ForeignKey("submission.submission_id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("sheet", Text, nullable=False),
    Column("cell", Text, nullable=False),
    Column("given", Text, nullable=False),
    Column("read_as", Text, nullable=False),
    Column("why_zh", Text, nullable=False),
    Column("why_en", Text, nullable=False),
)

# What a person decided about a submission, and why.
decision = Table(
    "decision",
    metadata,
    Column("decision_id", Integer, primary_key=True, autoincrement=True),
    Column("submission_id", String(20), ForeignKey("submission.submission_id"), nullable=False, index=True),
    Column("decision_kind", String(16), nullable=False),  # shapes.DecisionKind
    Column("reason", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("status_before", String(16), nullable=False),
    Column("status_after", String(16), nullable=False),
    # Decided while a month of the submission's period was closed; see submission.is_late_revision.
    Column("is_after_closing", Boolean, nullable=False, server_default=false(), default=False),
    Index(
        "ix_decision_after_closing",
        "submission_id",
        sqlite_where=text("is_after_closing"),
        postgresql_where=text("is_after_closing"),
    ),
    CheckConstraint(
        "decision_kind in ('confirmed', 'returned', 'return_withdrawn', 'explained', 'refused')",
        name="decision_kind_is_known",
    ),
)

# Why a queried figure is right, in the words of whoever knows. A finding may be explained again after a refusal;
# of its explanations at most one stands.
explanation = Table(
    "explanation",
    metadata,
    Column("explanation_id", Integer, primary_key=True, autoincrement=True),
    Column("submission_id", String(20), ForeignKey("submission.submission_id"), nullable=False),
    Column("ordinal", Integer, nullable=False),  # of the finding
    # What a later query is compared with. `filed_for` is the enterprise's code or the department.
    Column("filed_for", String(64), nullable=False),
    Column("month_start_date", Date, nullable=False),
    Column("rule", String(32), nullable=False),
    Column("business_key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("given_by", Text, nullable=False),
    Column("given_at", Instant, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reviewed_by", Text, nullable=False, default=""),
    Column("reviewed_at", Instant),
    Column("review_reason", Text, nullable=False, default=""),
    Index(None, "filed_for", "rule"),
    Index(
        "uq_explanation_standing",
        "submission_id",
        "ordinal",
        unique=True,
        sqlite_where=text("state in ('given', 'accepted')"),
        postgresql_where=text("state in ('given', 'accepted')"),
    ),
    Index(
        "ix_explanation_to_be_reviewed",
        "submission_id",
        sqlite_where=text("state = 'given'"),
        postgresql_where=text("state = 'given'"),
    ),
    CheckConstraint("origin in ('remark', 'workbook', 'portal', 'cli', 'review')", name="origin_is_known"),
    CheckConstraint("state in ('given', 'accepted', 'refused', 'replaced')", name="state_is_known"),
)

# A month that has been closed at least once. While it is closed or published, what counts in it is what was in
# force at `closed_sequence` and `closed_decision_id`.
month_state = Table(
    "month_state",
    metadata,
    Column("month_start_date", Date, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("closed_sequence", BigInteger, nullable=False),
    Column("closed_decision_id", BigInteger, nullable=False),
    Column("closed_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    CheckConstraint("state in ('closed', 'published', 'revising')", name="state_is_known"),
)

# What was proposed for a month by one person and confirmed or declined by another.
month_act = Table(
    "month_act",
    metadata,
    Column("act_id", Integer, primary_key=True, autoincrement=True),
    Column("month_start_date", Date, nullable=False, index=True),
    Column("act_kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("is_proposed_by_analyst", Boolean, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("decided_by", Text, nullable=False, default=""),
    Column("decided_at", Instant),
    Column("decision_reason", Text, nullable=False, default=""),
    Index(
        "uq_month_act_proposed",
        "month_start_date",
        unique=True,
        sqlite_where=text("state = 'proposed'"),
        postgresql_where=text("state = 'proposed'"),
    ),
    CheckConstraint("act_kind in ('close', 'publish', 'reopen')", name="act_kind_is_known"),
    CheckConstraint("state in ('proposed', 'confirmed', 'declined', 'withdrawn')", name="state_is_known"),
)

# 催报: each call, letter, message or visit, as it was. Nothing here is ever changed or deleted.
reminder = Table(
    "reminder",
    metadata,
    Column("reminder_id", Integer, primary_key=True, autoincrement=True),
    Column("month_start_date", Date, nullable=False),
    Column("enterprise_code", String(64), ForeignKey("enterprise.enterprise_code"), nullable=False),
    Column("reminder_kind", String(16), nullable=False),
    Column("reminded_at", Instant, nullable=False),
    Column("spoken_to", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "month_start_date", "enterprise_code"),
    CheckConstraint("reminder_kind in ('call', 'letter', 'message', 'visit')", name="reminder_kind_is_known"),
)

# Who did what, when, from where and why (`audit`). Only ever added to: triggers refuse anything else.
audit_entry = Table(
    "audit_entry",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 ... without gaps
    Column("at", Instant, nullable=False, index=True),
    Column("actor", Text, nullable=False, index=True),
    Column("account_id", Integer),  # no foreign key: the log stands by itself
    Column("action", String(64), nullable=False, index=True),
    Column("object_kind", String(32), nullable=False),
    Column("object_id", Text, nullable=False),
    Column("old", JSON(none_as_null=True)),
    Column("new", JSON(none_as_null=True)),
    Column("reason", Text, nullable=False, default=""),
    Column("address", Text, nullable=False, default=""),
    Column("key_id", String(16), nullable=False, default=""),  # empty: hashed without a key
    Column("previous_hash", String(64), nullable=False),
    Column("entry_hash", String(64), nullable=False),
    Index(None, "object_kind", "object_id"),
)

# One row: the newest entry's number and hash, sealed with the ledger's key. Its lock lets appends through singly.
audit_head = Table(
    "audit_head",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("entry_hash", String(64), nullable=False),
    Column("key_id", String(16), nullable=False, default=""),
    Column("seal", String(64), nullable=False, default=""),
)

account = Table(
    "account",
    metadata,
    Column("account_id", Integer, primary_key=True, autoincrement=True),
    Column("login", String(64), nullable=False, unique=True),  # small letters; never given to another person
    Column("display_name", Text, nullable=False),
    # locked: by the security administrator; reset: new one-time password, to be released by a second person
    Column("state", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),  # argon2id with its parameters; empty: no password works
    Column("is_password_one_time", Boolean, nullable=False),
    Column("password_set_at", Instant, nullable=False),
    Column("totp_secret", Text, nullable=False, default=""),  # encrypted with the ledger's key
    Column("totp_confirmed_at", Instant),  # empty: not enrolled, or enrolment not finished
    Column("totp_last_step", BigInteger, nullable=False, default=0),  # the last 30-second step that was used
    Column("oidc_identity", Text, unique=True),  # who this is at the city's identity provider
    Column("language", String(2), nullable=False, default="zh"),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("signed_in_at", Instant),  # last time
    CheckConstraint("state in ('active', 'locked', 'reset')", name="state_is_known"),
)

account_role = Table(
    "account_role",
    metadata,
    Column("account_id", Integer, ForeignKey("account.account_id"), primary_key=True),
    Column("role", String(32), primary_key=True),
    Column("granted_at", Instant, nullable=False),
    Column("granted_by", Text, nullable=False),
)

# The enterprises that a reporter speaks for, the districts that a reviewer answers for.
account_scope = Table(
    "account_scope",
    metadata,
    Column("account_id", Integer, ForeignKey("account.account_id"), primary_key=True),
    Column("scope_kind", String(16), primary_key=True),
    Column("code", String(64), primary_key=True, index=True),
    CheckConstraint("scope_kind in ('enterprise', 'district')", name="scope_kind_is_known"),
)

password_history = Table(
    "password_history",
    metadata,
    Column("history_id", Integer, primary_key=True, autoincrement=True),
    Column("account_id", Integer, ForeignKey("account.account_id"), nullable=False, index=True),
    Column("password_hash", Text, nullable=False),
    Column("replaced_at", Instant, nullable=False),
)

account_session = Table(
    "account_session",
    metadata,
    Column("session_id", String(24), primary_key=True),  # for lists; opens nothing
    Column("token_sha256", String(64), nullable=False, unique=True),
    Column("account_id", Integer, ForeignKey("account.account_id"), nullable=False, index=True),
    Column("stage", String(16), nullable=False),  # code_awaited: password right, second factor due
    Column("method", String(16), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False, default=""),
    Column("ended_at", Instant),
    Column("ended_why", String(32), nullable=False, default=""),
    CheckConstraint("stage in ('code_awaited', 'complete')", name="stage_is_known"),
)

# Failed attempts to sign in of the last minutes, a row an account and network and a row an address.
sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("throttle_key", String(64), primary_key=True),  # a hash: a login as typed may be a password
    Column("account_id", Integer, index=True),  # empty for an address, or a login that nobody has
    Column("address", Text, nullable=False),  # the network, or the address itself
    Column("failed_at", JSON, nullable=False),  # the last few, as ISO texts, earliest first
    Column("last_failed_at", Instant, nullable=False, index=True),
)

# One press of a button: files that one person handed in together, waiting to be read or done with. Their bytes are
# in the originals before they are here.
upload = Table(
    "upload",
    metadata,
    Column("upload_id", String(32), primary_key=True),  # random: knowing it is not guessing it
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column(
        "filer", JSON, nullable=False
    ),  # what the person might do when handing in: roles, enterprises, districts
    Column("channel", String(32), nullable=False),
    Column("language", String(2), nullable=False),
    Column("file_count", Integer, nullable=False),  # left-out ones not counted
    Column("sent_bytes", BigInteger, nullable=False),
    Column("read_count", Integer, nullable=False, default=0),  # of those being read now
    Column("left_out", JSON, nullable=False),  # names of what nobody meant: lock files, folder views
    Column("left_out_count", Integer, nullable=False),
    Column("finished_at", Instant),
    Index(None, "created_by", "created_at"),
)

upload_file = Table(
    "upload_file",
    metadata,
    Column("upload_id", String(32), ForeignKey("upload.upload_id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("original_name", Text, nullable=False),  # as the sender gave it
    Column("file_name", Text, nullable=False),  # as people see it
    Column("archive_name", Text, nullable=False, default=""),  # and folders in it, where it came in one
    Column("sha256", String(64), nullable=False, default=""),  # empty: its bytes were not taken
    Column("size_bytes", BigInteger, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),  # waiting, reading, done; failed: never came to the door
    Column("attempt_count", Integer, nullable=False, default=0),
    # What the door said; empty until then.
    Column("attention", Integer, nullable=False),  # what a person should look at first has the smallest
    Column("submission_id", String(20), ForeignKey("submission.submission_id")),
    Column("verdict", String(16)),
    Column("critical_count", Integer, nullable=False, default=0),
    Column("warning_count", Integer, nullable=False, default=0),
    Column("info_count", Integer, nullable=False, default=0),
    Column("fix_count", Integer, nullable=False, default=0),
    Column("rules", JSON, nullable=False),  # of the findings that are no mere information, each once
    Column("form_codes", JSON, nullable=False),
    Column("period", String(16)),
    Column("enterprise_code", String(64), nullable=False, default=""),
    Column("enterprise_name", Text, nullable=False, default=""),
    Column("is_duplicate", Boolean, nullable=False, default=False),
    Column("same_as", Text, nullable=False, default=""),
    Column("trouble_zh", Text, nullable=False, default=""),
    Column("trouble_en", Text, nullable=False, default=""),
    Column("finished_at", Instant),
    Index(None, "state"),
    CheckConstraint("state in ('waiting', 'reading', 'done', 'failed')", name="state_is_known"),
)
