"""The ledger: the register of enterprises, who filed what when, what was found, what was decided.

Same code on SQLite and PostgreSQL. Cells and amounts are not here but in the lines (`pipelines.stores`).
"""

from pipelines.ledger.book import Ledger, ledger_of, open_ledger
from pipelines.ledger.engine import LedgerLocked, LedgerMissing, LedgerUnusable, shown_url
from pipelines.ledger.shapes import (
    SHANGHAI,
    CannotConfirm,
    Change,
    Decision,
    EnterpriseSpell,
    Filing,
    LedgerConflict,
    NewBatch,
    NewSubmission,
    Recorded,
    RecordedFiling,
    RegisterRow,
    Repeat,
    SeriesState,
    Submission,
    UnknownSubmission,
    is_late,
    series_key_of,
)

__all__ = [
    "SHANGHAI",
    "CannotConfirm",
    "Change",
    "Decision",
    "EnterpriseSpell",
    "Filing",
    "Ledger",
    "LedgerConflict",
    "LedgerLocked",
    "LedgerMissing",
    "LedgerUnusable",
    "NewBatch",
    "NewSubmission",
    "Recorded",
    "RecordedFiling",
    "RegisterRow",
    "Repeat",
    "SeriesState",
    "Submission",
    "UnknownSubmission",
    "is_late",
    "ledger_of",
    "open_ledger",
    "series_key_of",
    "shown_url",
]
