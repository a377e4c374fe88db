"""The same bytes may be judged more than once: what names a submission is told apart from what names its file.

The unique constraint stays on the column that it was made for, under its new name: SQLite would have to write the
table anew to drop it, and other tables refer to it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table submission rename column sha256 to identity_sha256")
    op.add_column("submission", sa.Column("sha256", sa.String(64), nullable=False, server_default=""))
    op.execute("update submission set sha256 = identity_sha256")
    op.create_index(op.f("ix_submission_sha256"), "submission", ["sha256"])
