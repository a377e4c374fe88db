"""Technology contracts of the city (FM-6), as their clerks mean them: registered in the month, amended now and then.

Who has any, what they are worth, and which mistakes are made with them. Everything draws from streams of its own, so
that the other sheets are what they would be without it. A mistake is made only in a return that carries one already
and of the same gravity: what becomes of the return does not change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal

from sample_data.economy import EnterpriseSeries
from sample_data.period_forms import Cell, PeriodRows, declared

_SHARE_OF_ENTERPRISES = 0.25
_SHARE_OF_MONTHS = 0.22
_SHARE_OF_AMENDMENTS = 0.3
_SHARE_OF_MISTAKES = 0.7
_MONTHS_BACK = 11  # an amendment is of a contract that the rules can still see
_KINDS = ("专利实施许可", "技术秘密许可", "技术服务", "技术服务", "专利权转让", "专利申请权转让", "其他")
_PARTNERS = ("DEU", "USA", "JPN", "KOR", "GBR", "FRA", "SGP", "HKG", "CHE", "ITA")


@dataclass(frozen=True, slots=True)
class ContractMistake:
    """A mistake made on a contract: the rule that ought to notice it, the verdict, and where it lies."""

    key: str
    rule: str
    verdict: Literal["queries", "rejected"]
    place: str  # field of the first row
    note: str
    make: Callable[[dict[str, Cell]], None]


def contract_rows(series: EnterpriseSeries, position: int, seed: int) -> PeriodRows | None:
    """What an enterprise puts on FM-6 in the workbook of one month; None for most."""
    rows = [*_registered(series, position, seed), *_amended(series, position, seed)]
    if not rows:
        return None
    month = series.months[position]
    return PeriodRows("FM-6", f"{month.year}年{month.month}月", rows)


def mistaken_contract_rows(
    series: EnterpriseSeries, position: int, seed: int, verdict: str
) -> tuple[PeriodRows, ContractMistake] | None:
    """The same with a mistake that brings this verdict in its first row; None where there are no rows, or no mistake."""
    found = contract_rows(series, position, seed)
    kinds = [mistake for mistake in MISTAKES if mistake.verdict == verdict]
    rng = Random(f"{seed}/contract mistake/{series.enterprise.number}/{series.months[position]}")
    if found is None or not kinds or rng.random() > _SHARE_OF_MISTAKES or found.rows[0]["is_amendment"]:
        return None
    mistake = rng.choice(kinds)
    mistake.make(found.rows[0])
    return found, mistake


def _registered(series: EnterpriseSeries, position: int, seed: int) -> list[dict[str, Cell]]:
    """Contracts registered for the first time in a month."""
    enterprise, month = series.enterprise, series.months[position]
    if enterprise.profile.is_seasonal or series.is_idle[position] or not enterprise.is_expected(month):
        return []
    if Random(f"{seed}/technology contracts/{enterprise.number}").random() > _SHARE_OF_ENTERPRISES:
        return []
    rng = Random(f"{seed}/technology contracts/{enterprise.number}/{month}")
    if rng.random() > _SHARE_OF_MONTHS:
        return []
    rows: list[dict[str, Cell]] = []
    for number in range(rng.randint(1, 2)):
        registered = month.start_date + timedelta(days=rng.randint(0, 27))
        value_usd = rng.uniform(8, 600) * 10_000
        is_import = rng.random() < 0.65
        rows.append(
            {
                "registration_no": f"42{month.year}{'I' if is_import else 'E'}{month.month:02d}{enterprise.number:05d}{number + 1}",
                "direction": "进口" if is_import else "出口",
                "contract_type": rng.choice(_KINDS),
                "partner_code": rng.choice(_PARTNERS),
                "contract_amount": declared(value_usd, series, month),
                "technology_fee": declared(value_usd * rng.uniform(0.3, 1.0), series, month),
                "effective_date": registered - timedelta(days=rng.randint(0, 50)),
                "registered_date": registered,
                "is_amendment": None,
            }
        )
    return rows


def _amended(series: EnterpriseSeries, position: int, seed: int) -> list[dict[str, Cell]]:
    """An earlier contract as it stands after an amendment registered in the month; never one amended before."""
    month = series.months[position]
    if series.is_idle[position] or not series.enterprise.is_expected(month):
        return []
    rng = Random(f"{seed}/amendments/{series.enterprise.number}/{month}")
    for back in range(1, min(position, _MONTHS_BACK) + 1):
        for row in _registered(series, position - back, seed):
            lot = Random(f"{seed}/amended/{row['registration_no']}")
            if lot.random() > _SHARE_OF_AMENDMENTS or lot.randint(2, _MONTHS_BACK) != back:
                continue
            growth = rng.uniform(1.05, 1.4)
            return [
                {
                    **row,
                    "contract_amount": round(_number(row["contract_amount"]) * growth),
                    "technology_fee": round(_number(row["technology_fee"]) * growth),
                    "registered_date": month.start_date + timedelta(days=rng.randint(0, 27)),
                    "is_amendment": "是",
                }
            ]
    return []


def _number(value: Cell) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number: the row is not as it was made")
    return value


def _day(value: Cell) -> date:
    if not isinstance(value, date):
        raise TypeError(f"{value!r} is no day: the row is not as it was made")
    return value


def _fee_above_contract(row: dict[str, Cell]) -> None:
    row["technology_fee"] = round(_number(row["contract_amount"]) * 1.2) + 1


def _days_swapped(row: dict[str, Cell]) -> None:
    if row["registered_date"] == row["effective_date"]:
        row["effective_date"] = _day(row["effective_date"]) - timedelta(days=9)
    row["registered_date"], row["effective_date"] = row["effective_date"], row["registered_date"]


def _registered_late(row: dict[str, Cell]) -> None:
    row["effective_date"] = _day(row["registered_date"]) - timedelta(days=95)


def _partner_china(row: dict[str, Cell]) -> None:
    row["partner_code"] = "CHN"


MISTAKES: tuple[ContractMistake, ...] = (
    ContractMistake("technology_fee_above_contract", "K01", "rejected", "technology_fee",
                    "技术费大于合同总金额", _fee_above_contract),
    ContractMistake("contract_days_swapped", "K05", "rejected", "registered_date",
                    "生效日期与登记日期填反", _days_swapped),
    ContractMistake("registered_late", "K07", "queries", "registered_date",
                    "生效九十五日后才登记", _registered_late),
    ContractMistake("technology_from_china", "K04", "queries", "partner_code",
                    "对方国别填成中国", _partner_china),
)  # fmt: skip
