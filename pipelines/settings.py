"""What a bureau may set, read once from the environment.

The only reader of environment variables. Every setting has a default that works on one air-gapped
machine; `servtrade doctor` prints the ones in force.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class InvalidSetting(ValueError):
    """An environment variable holds something that cannot be used; the operator must mend it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where data stand and which of the documented conventions apply.

    data_dir             SERVTRADE_DATA: every store lies below it
    ledger_url           SERVTRADE_LEDGER_URL: SQLAlchemy URL; empty means SQLite below data_dir
    language             SERVTRADE_LANG: zh or en, for people; files carry both
    mode_profile         SERVTRADE_MODE_PROFILE: default profile of sql/reference/mode_allocation.csv
    services_source      SERVTRADE_SERVICES_SOURCE: direct_report or safe; which S the headline share uses
    filing_deadline_day  SERVTRADE_DEADLINE_DAY: day of the following month on which returns are due
    reader_count         SERVTRADE_READERS: child processes that read workbooks; default one per core
    """

    data_dir: Path
    ledger_url: str
    language: str = "zh"
    mode_profile: str = "wto_base"
    services_source: str = "direct_report"
    filing_deadline_day: int = 10
    reader_count: int = 2

    @property
    def originals_dir(self) -> Path:
        """Workbooks as received, by SHA-256, write-once."""
        return self.data_dir / "originals"

    @property
    def lines_dir(self) -> Path:
        """Cells as read, one Parquet file a batch."""
        return self.data_dir / "lines"

    @property
    def inbox_dir(self) -> Path:
        """Folder on the intranet into which departments and clerks drop files."""
        return self.data_dir / "inbox"

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file; opened by pipeline runs only."""
        return self.data_dir / "warehouse.duckdb"

    @property
    def snapshots_dir(self) -> Path:
        """Read-only copies of the warehouse for analysts, with a CURRENT pointer."""
        return self.data_dir / "snapshots"

    @property
    def drafts_dir(self) -> Path:
        """Tables of each month as last computed, before anybody has approved them for release."""
        return self.data_dir / "drafts"

    @property
    def secrets_dir(self) -> Path:
        """The ledger's key; readable by the portal's user only, and backed up apart from the ledger."""
        return self.data_dir / "secrets"

    @property
    def dagster_dir(self) -> Path:
        """Dagster's own storage (runs, events, schedules)."""
        return self.data_dir / "dagster"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings. Raises InvalidSetting naming the variable, the value and what is allowed."""
        env = os.environ if environment is None else environment
        data_dir = Path(env.get("SERVTRADE_DATA") or "data").expanduser().absolute()
        return cls(
            data_dir=data_dir,
            ledger_url=env.get("SERVTRADE_LEDGER_URL") or f"sqlite:///{data_dir / 'ledger.sqlite'}",
            language=_one_of(env, "SERVTRADE_LANG", ("zh", "en")),
            mode_profile=_one_of(env, "SERVTRADE_MODE_PROFILE", ("wto_base", "wto_2020s", "ons_2019")),
            services_source=_one_of(env, "SERVTRADE_SERVICES_SOURCE", ("direct_report", "safe")),
            filing_deadline_day=_between(env, "SERVTRADE_DEADLINE_DAY", 10, 1, 28),
            reader_count=_between(env, "SERVTRADE_READERS", os.cpu_count() or 1, 1, 64),
        )


def _one_of(env: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = env.get(name) or allowed[0]
    if value not in allowed:
        raise InvalidSetting(f"{name}={value!r}: expected one of {', '.join(allowed)}")
    return value


def _between(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isdecimal() or not low <= int(text) <= high:
        raise InvalidSetting(f"{name}={text!r}: expected a whole number from {low} to {high}")
    return int(text)
