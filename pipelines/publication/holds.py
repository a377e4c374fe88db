"""Months that were not drafted, and why: one small file a month, gone when the month is drafted again.

Which rules hold a month is decided by the run; here is only how it is remembered for the people who ask.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.findings import Wording
from pipelines.periods import Month
from pipelines.settings import Settings


@dataclass(frozen=True, slots=True)
class Hold:
    """One rule on a whole table that failed: how many rows, and the first of them by key."""

    rule: str
    table: str
    label: Wording
    row_count: int
    first_keys: tuple[str, ...]


def _file(settings: Settings, month: Month) -> Path:
    return settings.drafts_dir / "held" / f"{month}.json"


def hold(settings: Settings, month: Month, reasons: Sequence[Hold]) -> None:
    """Remember why the month was not drafted, in place of what was remembered before."""
    path = _file(settings, month)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".incoming")
    content = {"schema_version": 1, "month": str(month), "reasons": [asdict(reason) for reason in reasons]}
    aside.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")
    aside.replace(path)


def release(settings: Settings, month: Month) -> None:
    """The month was drafted: forget the hold."""
    _file(settings, month).unlink(missing_ok=True)


def held(settings: Settings, month: Month) -> list[Hold]:
    """Why the latest run did not draft the month; empty if it did."""
    path = _file(settings, month)
    if not path.exists():
        return []
    content = json.loads(path.read_text(encoding="utf-8"))
    return [
        Hold(
            reason["rule"],
            reason["table"],
            Wording(**reason["label"]),
            reason["row_count"],
            tuple(reason["first_keys"]),
        )
        for reason in content["reasons"]
    ]
