"""`python -m sample_data`: write a synthetic city into a folder and say what is in it."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from pipelines.periods import InvalidPeriod
from sample_data.city import CitySummary, generate


def main(arguments: list[str] | None = None) -> int:
    """Read the options, generate, print the summary. Exit code 2 for options that cannot be."""
    parser = argparse.ArgumentParser(
        prog="python -m sample_data",
        description="样例城市生成器 / Write a synthetic city: register, returns, tables, truth.",
    )
    parser.add_argument("--enterprises", type=int, default=100, help="企业数 / enterprises at any time (100)")
    parser.add_argument("--first", default="2019-01", help="首月 / first reference month (2019-01)")
    parser.add_argument("--months", type=int, default=24, help="月数 / months (24)")
    parser.add_argument("--seed", type=int, default=2020, help="随机种子 / same seed, same bytes (2020)")
    parser.add_argument("--out", type=Path, required=True, help="输出文件夹 / folder to write into")
    parser.add_argument("--processes", type=int, default=2, help="进程数 / processes that write (2)")
    parser.add_argument(
        "--error-share", type=float, default=0.088, help="差错比例 / returns with a mistake (0.088)"
    )
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    try:
        summary = generate(
            options.out,
            options.enterprises,
            options.first,
            options.months,
            options.seed,
            _show_progress if sys.stderr.isatty() else None,
            processes=options.processes,
            error_share=options.error_share,
        )
    except (ValueError, InvalidPeriod) as error:
        parser.error(str(error))
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print("\n".join(_lines(summary, time.perf_counter() - started)))
    return 0


def _show_progress(done: int, total: int) -> None:
    print(f"\r生成样例企业 / enterprises written: {done}/{total}", end="", file=sys.stderr, flush=True)


def _lines(summary: CitySummary, seconds: float) -> list[str]:
    trade = ", ".join(
        f"{year}: {value:.1f}" for year, value in summary.service_trade_usd_100m_by_year.items()
    )
    return [
        f"样例城市 / synthetic city: {summary.folder}",
        f"  企业 enterprises {summary.enterprise_count}, 月份 months {summary.month_count}, "
        f"文件 files {summary.return_file_count} + {summary.period_file_count} (年报、半年报 yearly, half-yearly) "
        f"+ {summary.department_file_count} (部门 departments)",
        f"  应报 expected {summary.expected_return_count}, 已报 filed {summary.filed_count}, "
        f"应通过 ought to be accepted {summary.accepted_count}, 待核实 queried {summary.queried_count}, "
        f"退回 rejected {summary.rejected_count}, 未报 not filed {summary.not_filed_count}",
        f"  零报 zero returns {summary.zero_return_count}, 迟报 late {summary.late_count}, "
        f"差错 planted errors {summary.planted_error_count} (已更正 corrected {summary.corrected_error_count}), "
        f"重复 duplicates {summary.duplicate_count}",
        f"  服务进出口 service trade, 亿美元 USD 100 million: {trade}",
        f"  用时 took {seconds:.1f} s",
    ]


if __name__ == "__main__":
    sys.exit(main())
