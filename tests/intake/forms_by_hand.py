"""A blank form of March 2026 and what a clerk makes of it, for the tests of forms."""

from __future__ import annotations

from datetime import date

from pipelines.intake.layouts import layout_book
from pipelines.intake.template import Carried, Order, Stationery
from pipelines.periods import Month
from pipelines.records import FileKind

from .rewritten import set_cells, set_results

MARCH = Month(2026, 3)
CODE, NAME = "91420100MA4KABCD10", "武汉示例信息服务有限公司"
ALL_FORMS = tuple(
    sorted(code for code, versions in layout_book().by_form.items() if versions[-1].kind is FileKind.RETURN)
)


def order(*form_codes: str, **more: object) -> Order:
    return Order(CODE, NAME, form_codes or ("FM-2", "FM-3"), **more)  # type: ignore[arg-type]


CARRIED = {
    "FM-2": Carried("USD_10K", [{"item_code": "SI2", "partner_code": "USA"}, {"item_code": "SC1", "partner_code": "SGP"}]),
    "FM-3": Carried(
        "USD_10K",
        [{"contract_no": "WB-2026-001", "outsourcing_type": "ITO", "shore": "offshore", "partner_code": "JPN",
          "signed_date": date(2026, 1, 15)}],
    ),
}  # fmt: skip


def fill(stationery: Stationery) -> bytes:
    """The March workbook as a clerk fills it: both tables, totals as the program computed them."""
    content = stationery.workbook(order(carried=CARRIED))
    content = set_cells(
        content,
        "服务进出口",
        {"D12": 120.5, "E12": 340.5, "F12": 10, "G12": 30, "H12": 95, "K12": "新签年度合同", "D13": "—", "F13": 33.3,
         "G13": 99.9, "A14": "SI2", "C14": "JPN", "D14": "…", "E14": 0.6},
    )  # fmt: skip
    content = set_cells(
        content,
        "服务外包",
        {"E12": 500, "F12": 40.5, "G12": 120.5, "A13": "WB-2026-002", "B13": "BPO", "C13": "在岸", "E13": 60, "F13": 5,
         "G13": 10, "H13": date(2026, 2, 1)},
    )  # fmt: skip
    content = set_results(content, "服务进出口", {"D52": 120.5, "E52": 341.1, "F52": 43.3, "G52": 129.9})
    return set_results(content, "服务外包", {"E52": 560, "F52": 45.5, "G52": 130.5})
