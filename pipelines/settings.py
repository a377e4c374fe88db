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
    security_profile     SERVTRADE_SECURITY_PROFILE: asvs or dengbao; rules for passwords (docs/security.md)
    second_factor_for    SERVTRADE_SECOND_FACTOR: administrators, everyone or none must use six-digit codes
    oidc_issuer          SERVTRADE_OIDC_ISSUER: the city's identity provider; empty: only passwords
    oidc_client_id       SERVTRADE_OIDC_CLIENT_ID: what this portal is called there
    oidc_secret_file     SERVTRADE_OIDC_SECRET_FILE: file with the secret agreed with it
    oidc_claim           SERVTRADE_OIDC_CLAIM: which of its claims names the person; default sub
    upload_daily_mib     SERVTRADE_UPLOAD_DAILY_MIB: what one person may hand in through the portal in a day, in MiB
    free_disk_mib        SERVTRADE_FREE_DISK_MIB: the portal takes no files when less than this would stay free
    """

    data_dir: Path
    ledger_url: str
    language: str = "zh"
    mode_profile: str = "wto_base"
    services_source: str = "direct_report"
    filing_deadline_day: int = 10
    reader_count: int = 2
    security_profile: str = "asvs"
    second_factor_for: str = "administrators"
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_secret_file: Path | None = None
    oidc_claim: str = "sub"
    upload_daily_mib: int = 1024
    free_disk_mib: int = 512

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
            security_profile=_one_of(env, "SERVTRADE_SECURITY_PROFILE", ("asvs", "dengbao")),
            second_factor_for=_one_of(env, "SERVTRADE_SECOND_FACTOR", ("administrators", "everyone", "none")),
            oidc_issuer=(env.get("SERVTRADE_OIDC_ISSUER") or "").rstrip("/"),
            oidc_client_id=env.get("SERVTRADE_OIDC_CLIENT_ID") or "",
            oidc_secret_file=Path(file) if (file := env.get("SERVTRADE_OIDC_SECRET_FILE")) else None,
            oidc_claim=env.get("SERVTRADE_OIDC_CLAIM") or "sub",
            upload_daily_mib=_between(env, "SERVTRADE_UPLOAD_DAILY_MIB", 1024, 1, 1_000_000),
            free_disk_mib=_between(env, "SERVTRADE_FREE_DISK_MIB", 512, 0, 10_000_000),
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
