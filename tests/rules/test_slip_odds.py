"""The door's odds of a slip are those of the method: the SQL and the Python formula agree to the last digits."""

from __future__ import annotations

import csv
import math
import statistics
from typing import Any

import pytest

from pipelines.findings import Finding
from pipelines.methods.slips import Evidence, Explanation, history_spread, odds, probabilities
from pipelines.paths import REFERENCE_DIR

RATE = 7.0


def explanations() -> list[Explanation]:
    with (REFERENCE_DIR / "slip_explanations.csv").open(encoding="utf-8") as stream:
        return [
            Explanation(
                row["explanation_code"],
                float(row["log10_shift"]) * (math.log10(RATE) if row["is_exchange_rate"] == "true" else 1),
                float(row["prior_odds"]),
            )
            for row in csv.DictReader(stream)
        ]


def evidence_of(amount: float, months: list[float], **more: Any) -> Evidence:
    median = statistics.median(months)
    return Evidence(
        math.log10(amount / median), history_spread([math.log10(month / median) for month in months]), **more
    )


def likeliest(evidence: Evidence) -> float:
    return max(odds(evidence, explanation) for explanation in explanations())


def computed(bureau: Any, cell: str = "D11") -> float:
    [row] = bureau.connection.execute(
        "select slip_odds from checks.service_trade_line where amount_cell = $1 and slip_odds is not null",
        [cell],
    ).fetchall()
    return float(row[0])


def file_months(bureau: Any, months: list[float], rows: str = "") -> None:
    for number, amount in enumerate(months, start=1):
        bureau.file(
            f"2020-{number:02d}",
            f"item | partner | export | export_ytd\nSJ35 | USA | {amount} | {sum(months[:number]):.2f}{rows}",
            is_accepted=True,
        )


def asked(bureau: Any, month: str) -> list[Finding]:
    return [found for found in bureau.findings(month) if found.rule == "Q3"]


MONTHS = [991.25, 1010.5, 870.75, 1120.0, 640.25]


@pytest.mark.parametrize("factor", [0.0001, 0.012, 0.143, 4.0, 7.3, 9.1, 33.0, 101.0, 980.0, 1.1e4, 1.0e8])
def test_history_alone(bureau: Any, factor: float) -> None:
    bureau.rate("2020-06", str(RATE))
    file_months(bureau, MONTHS)
    amount = round(1000 * factor, 4)
    bureau.file("2020-06", f"item | partner | export\nSJ35 | USA | {amount}")
    rules = {found.rule for found in bureau.findings("2020-06")}
    assert computed(bureau) == pytest.approx(likeliest(evidence_of(amount, MONTHS)), rel=1e-9)
    impossibly_large = "H9a" in rules  # 10^15 dollars are said to be impossible, and not asked about as well
    assert ("Q3" in rules) == (likeliest(evidence_of(amount, MONTHS)) > 1 and not impossibly_large)


@pytest.mark.parametrize(
    "link", [10_000.0, 1_000.0, 4_321.0], ids=["as the month", "without the slip", "unrelated"]
)
def test_the_amount_since_january_is_a_witness(bureau: Any, link: float) -> None:
    file_months(bureau, MONTHS)
    bureau.rate("2020-06", str(RATE))
    ytd = sum(MONTHS) + link
    bureau.file("2020-06", f"item | partner | export | export_ytd\nSJ35 | USA | 10000.5 | {ytd:.2f}")
    asked(bureau, "2020-06")
    expected = likeliest(evidence_of(10000.5, MONTHS, link_log_ratio=math.log10(10000.5 / link)))
    assert computed(bureau) == pytest.approx(expected, rel=1e-6)


def test_a_row_whose_sum_knows_no_slip_makes_a_slip_of_that_cell_certain(bureau: Any) -> None:
    alone = evidence_of(10_000, MONTHS)
    agreed = evidence_of(10_000, MONTHS, link_log_ratio=0.0)
    contradicted = evidence_of(10_000, MONTHS, link_log_ratio=1.0)
    assert likeliest(agreed) < likeliest(alone) < likeliest(contradicted)
    assert probabilities(contradicted, explanations())["times_10"] > 0.99


@pytest.mark.parametrize("others", ["flat", "alike"])
def test_other_lines_of_the_return_are_witnesses(bureau: Any, others: str) -> None:
    bureau.rate("2020-06", str(RATE))
    items = ("SJ1", "SI2", "SC1", "SK1")
    file_months(bureau, MONTHS, "".join(f"\n{item} | USA | 500.25 | " for item in items))
    factor = 1 if others == "flat" else 9871
    rows = "".join(f"\n{item} | USA | {510.25 * factor:.2f}" for item in items)
    bureau.file("2020-06", f"item | partner | export\nSJ35 | USA | 9900000.5{rows}")
    asked(bureau, "2020-06")
    counts = {"flat_line_count": 4} if others == "flat" else {"alike_line_count": {"times_10000": 4}}
    assert computed(bureau) == pytest.approx(likeliest(evidence_of(9900000.5, MONTHS, **counts)), rel=1e-9)


def test_the_clerk_is_told_how_likely_each_explanation_is(bureau: Any) -> None:
    bureau.rate("2020-06", str(RATE))
    file_months(bureau, MONTHS)
    bureau.file("2020-06", "item | partner | export\nSJ35 | USA | 9200")
    [found] = asked(bureau, "2020-06")
    shares = probabilities(evidence_of(9200, MONTHS), explanations())
    right = 1 - sum(shares.values())
    assert (
        f"多填10倍 {100 * shares['times_10']:.0f}%，以人民币数填报美元 {100 * shares['yuan_for_dollars']:.0f}%"
        f"，填报属实 {100 * right:.0f}%" in found.message.zh
    )
    assert f"right as filed {100 * right:.0f} %" in found.message.en
