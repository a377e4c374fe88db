"""The few small files of `sample_data/samples/`: one clean return, one with mistakes, one table of each kind.

`python -m sample_data.committed` writes them again; a test proves that they are what the generator makes.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

from pipelines.periods import Month
from sample_data.clerk import habits_of
from sample_data.departments import department_files
from sample_data.economy import calibrate, trade_by_main_item, true_series
from sample_data.enterprises import build_register
from sample_data.mistakes import KIND_BY_KEY, make_mistake
from sample_data.returns import true_return
from sample_data.workbook import write_return

SAMPLES_DIR = Path(__file__).resolve().parent / "samples"
_SEED = 2020
_MONTHS = tuple(Month(2019, 1).plus(offset) for offset in range(24))
_MONTH = Month(2020, 3)
# The last one changes a total and no other may compute it again.
_MISTAKES = (
    "remote_share_over_100",
    "unknown_partner",
    "executed_above_contract",
    "text_in_amount",
    "total_mismatch",
)
_UNTIDY = frozenset({"comma_text", "trailing_blanks", "row_above_title", "column_left", "period_in_one_cell"})
_TABLES = {
    "DM-1_外汇收支_2020-03.xlsx": "DM-1_receipts_and_payments.xlsx",
    "DM-2_货物进出口_2019-03.csv": "DM-2_goods_trade.csv",
    "DM-3_汇率_2020-03.xlsx": "DM-3_exchange_rates.xlsx",
    "DM-4_部门指标_2017.xlsx": "DM-4_indicators.xlsx",
    "DM-5_重点任务进展_2020-06.xlsx": "DM-5_tasks.xlsx",
    "DM-6_四种模式分组数据_2019.xlsx": "DM-6_modes.xlsx",
}


def committed_samples() -> dict[str, bytes]:
    """File name and bytes of every committed sample."""
    register = build_register(12, _MONTHS[0], len(_MONTHS), _SEED)
    calibration = calibrate(register, _MONTHS, _SEED)
    all_series = [true_series(enterprise, _MONTHS, calibration, _SEED) for enterprise in register]
    series = next(one for one in all_series if one.enterprise.is_outsourcing)
    position = _MONTHS.index(_MONTH)
    habits = habits_of(series.enterprise.number, _SEED)

    clean = write_return(true_return(series, position, _SEED), habits, frozenset(), Random(_SEED))
    wrong = true_return(series, position, _SEED)
    spots = [
        (KIND_BY_KEY[key], spot)
        for key in _MISTAKES
        for spot in make_mistake(KIND_BY_KEY[key], wrong, series, position, Random(f"{_SEED}/{key}"))[:1]
    ]
    written = write_return(wrong, habits, _UNTIDY, Random(_SEED))
    truth = "".join(
        json.dumps(
            {
                "file": "return_with_errors.xlsx",
                "kind": kind.key,
                "rule": spot.rule or kind.rule,
                "sheet": written.where(spot.form_code, spot.place)[0],
                "cell": written.where(spot.form_code, spot.place)[1],
                "note": spot.note,
            },
            ensure_ascii=False,
        )
        + "\n"
        for kind, spot in spots
    )
    usd_cents: Counter[tuple[Month, str, str]] = Counter()
    for one in all_series:
        usd_cents.update(trade_by_main_item(one))
    tables = {
        _TABLES[table.name]: table.content
        for table in department_files(_MONTHS, usd_cents, _SEED)
        if table.name in _TABLES
    }
    return {
        "return_clean.xlsx": clean.content,
        "return_with_errors.xlsx": written.content,
        "return_with_errors.truth.jsonl": truth.encode(),
        **tables,
    }


def main() -> None:
    """Write the samples where they are committed."""
    SAMPLES_DIR.mkdir(exist_ok=True)
    for name, content in committed_samples().items():
        (SAMPLES_DIR / name).write_bytes(content)


if __name__ == "__main__":
    main()
