"""What the door answers about one file: as a value, as the JSON of `servtrade check`, as a text for a clerk.

The sentences of single findings come from the rules and the reader; here is only the frame around them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from pipelines.findings import Finding, Fix, Severity, Verdict, Wording
from pipelines.money import UNITS, in_currency_units
from pipelines.periods import Period
from pipelines.records import CellRecord, CellState

SCHEMA_VERSION = 1

# Says of a file that it is a version which another has replaced: it stands where others read that they were known.
_REPLACED = "M8"
REPLACED = Wording("已被后来的版本替代，没有计入", "replaced by a later version; it does not count")
_EXACT = Context(prec=80, rounding=ROUND_HALF_UP)
_FOUR_DECIMALS = Decimal("0.0001")
_FLOWS = ("export", "import")


@dataclass(frozen=True, slots=True)
class FileResult:
    """What the door says of one file.

    `verdict` is the standing of the submission: for a file that was filed before (`is_duplicate`) the one in
    the ledger now, for `check` the one that filing would give. `version` numbers the filings of one
    enterprise and period; None where the file is a version of nothing (unreadable, or no period).
    `same_as` names the earlier file of the same call that has the same bytes.
    `line_count` counts the data rows read, over all sheets.
    """

    name: str
    sha256: str
    submission_id: str
    verdict: Verdict
    form_codes: tuple[str, ...] = ()
    period: Period | None = None
    enterprise_code: str = ""
    enterprise_name: str = ""
    department: str = ""
    line_count: int = 0
    fixes: tuple[Fix, ...] = ()
    findings: tuple[Finding, ...] = ()
    is_duplicate: bool = False
    same_as: str = ""
    is_zero_return: bool = False
    version: int | None = None
    details: Callable[[], list[dict[str, Any]]] = field(default=list, repr=False, compare=False)

    @property
    def is_replaced(self) -> bool:
        """Whether it is a version filed once more that another has replaced: whatever its verdict was, it does not count."""
        return any(finding.rule == _REPLACED for finding in self.findings)

    def as_json(self, lines: bool = False) -> dict[str, Any]:
        """The object of `servtrade check --json`; with `lines` also what was read, amount by amount."""
        answer: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "file": self.name,
            "sha256": self.sha256,
            "submission_id": self.submission_id,
            "verdict": self.verdict.value,
            "form": ",".join(self.form_codes),
            "reference_month": str(self.period) if self.period else None,
            "enterprise_code": self.enterprise_code,
            "department": self.department,
            "version": self.version,
            "is_duplicate": self.is_duplicate,
            "lines": self.line_count,
            "fixes": [fix.as_json() for fix in self.fixes],
            "findings": [finding.as_json() for finding in self.findings],
        }
        if self.same_as:
            answer["same_as"] = self.same_as
        if lines:
            answer["lines_detail"] = self.details()
        return answer

    def as_text(self) -> str:
        """The answer for a person, first in Chinese, then in English; what stands in a result file."""
        return "\n".join([*self._text("zh"), "", "-" * 60, "", *self._text("en"), ""])

    def _text(self, language: str) -> list[str]:
        words = _WORDS[language]
        rows = [
            f"{words['file']}{self.name}",
            f"{words['verdict']}{words['replaced' if self.is_replaced else self.verdict.value]}",
        ]
        if self.same_as:
            rows.append(words["same_as"].format(name=self.same_as))
        elif self.is_duplicate:
            rows += [getattr(one.message, language) for one in self.findings if one.rule == _REPLACED] or [
                words["duplicate"]
            ]
        if self.form_codes:
            rows.append(f"{words['form']}{', '.join(self.form_codes)}")
        if self.period:
            rows.append(f"{words['period']}{self.period}")
        if self.enterprise_code:
            rows.append(f"{words['enterprise']}{self.enterprise_code} {self.enterprise_name}".rstrip())
        if self.department:
            rows.append(f"{words['department']}{self.department}")
        if self.is_zero_return:
            rows.append(words["zero_return"])
        rows.append(f"{words['lines']}{self.line_count}")
        if self.version:
            rows.append(f"{words['version']}{self.version}")
        rows.append(f"{words['receipt']}{self.submission_id}  SHA-256 {self.sha256}")
        for severity in (Severity.CRITICAL, Severity.WARNING, Severity.INFO):
            of_severity = [
                finding
                for finding in self.findings
                if finding.severity is severity and finding.rule != _REPLACED
            ]
            if of_severity:
                rows += ["", f"{words[f'severity_{severity.value}']}（{len(of_severity)}）"]
                rows += [
                    f"  {number}. {getattr(finding.message, language)}"
                    for number, finding in enumerate(of_severity, start=1)
                ]
        if self.fixes:
            rows += ["", f"{words['fixes']}（{len(self.fixes)}）"]
            rows += [
                f"  {number}. {fix.sheet}!{fix.cell}: {fix.given!r} → {fix.read_as}  {getattr(fix.why, language)}"
                for number, fix in enumerate(self.fixes, start=1)
            ]
        return rows


_WORDS: dict[str, dict[str, str]] = {
    "zh": {
        "file": "文件：",
        "verdict": "审核结果：",
        "accepted": "通过",
        "queries": "已收到，有待核实的问题（请在“说明”栏写明原因，或由统计人员核实）",
        "rejected": "退回：有必须更正的错误，请更正后重新报送",
        "unreadable": "拒收：文件无法读取或不安全，请按下述说明处理后重新报送",
        "replaced": REPLACED.zh,
        "duplicate": "此文件以前已报送，内容完全相同，不重复计入。",
        "same_as": "与这批文件中的“{name}”内容完全相同，不重复计入。",
        "form": "表号：",
        "period": "报告期：",
        "enterprise": "报送单位：",
        "department": "提供部门：",
        "zero_return": "零报：本月无业务。",
        "lines": "读取数据行数：",
        "version": "第几次报送：",
        "receipt": "回执号：",
        "severity_critical": "必须更正",
        "severity_warning": "需要核实",
        "severity_info": "提示",
        "fixes": "读取时自动规范的内容，请核对",
    },
    "en": {
        "file": "File: ",
        "verdict": "Result: ",
        "accepted": "accepted",
        "queries": "received, with open queries (explain them in the remark column, or a statistician will confirm)",
        "rejected": "returned: there are errors that must be corrected; please file again",
        "unreadable": "refused: the file cannot be read or is not safe; please do as said below and file again",
        "replaced": REPLACED.en,
        "duplicate": "This file was filed before, byte for byte; it counts once.",
        "same_as": "Same content as {name} in this batch; it counts once.",
        "form": "Forms: ",
        "period": "Reference period: ",
        "enterprise": "Enterprise: ",
        "department": "Department: ",
        "zero_return": "Zero return: no business this month.",
        "lines": "Data rows read: ",
        "version": "Version: ",
        "receipt": "Receipt: ",
        "severity_critical": "Must be corrected",
        "severity_warning": "To be confirmed",
        "severity_info": "For information",
        "fixes": "Read leniently; please check",
    },
}


def line_count_of(cells: Iterable[CellRecord]) -> int:
    """Data rows among cells: rows of sheets that hold at least one filled cell of the form's table."""
    counted: int | None = getattr(
        cells, "line_count", None
    )  # by PackedCells, which are not to be unpacked for it
    if counted is not None:
        return counted
    return len({(cell.sheet, cell.row_number) for cell in cells if cell.section == "row"})


def line_details(cells: Iterable[CellRecord], usd_per_unit: Mapping[str, Decimal]) -> list[dict[str, Any]]:
    """Every amount of form FM-2 as read, in the order of the file.

    `usd_per_unit` gives US dollars per currency unit in the month; without a rate `amount_usd` is None. A
    blank cell has no entry; a withheld, inapplicable or invalid one has no amount, and `state` says which.
    """
    unit_of: dict[str, str] = {}
    rows: dict[tuple[str, int], dict[str, CellRecord]] = defaultdict(dict)
    for cell in cells:
        if cell.form_code != "FM-2":
            continue
        if cell.section == "head" and cell.field == "unit" and cell.code:
            unit_of[cell.sheet] = cell.code
        elif cell.section == "row":
            rows[cell.sheet, cell.row_number][cell.field] = cell
    details = []
    for (sheet, _), row in rows.items():
        unit = UNITS.get(unit_of.get(sheet, ""))
        for flow in _FLOWS:
            amount = row.get(flow)
            if amount is None:
                continue
            share = row.get(f"{flow}_remote_share_pct")
            rate = usd_per_unit.get(unit.currency_code) if unit else None
            details.append(
                {
                    "form": "FM-2",
                    "item_code": _code(row.get("item_code")),
                    "partner_code": _code(row.get("partner_code")),
                    "flow": flow,
                    "amount": _plain(amount.number),
                    "state": CellState(amount.state).value,
                    "unit": unit.label_zh if unit else None,
                    "currency": unit.currency_code if unit else None,
                    "amount_usd": (
                        str(in_us_dollars(in_currency_units(amount.number, unit), rate))
                        if unit and rate is not None and amount.number is not None
                        else None
                    ),
                    "remote_share_pct": _plain(share.number) if share else None,
                    "sheet": sheet,
                    "cell": amount.cell,
                }
            )
    return details


def in_us_dollars(amount: Decimal, usd_per_unit: Decimal) -> Decimal:
    """Currency units as US dollars with four decimals, halves away from zero, as core.service_trade has them."""
    return _EXACT.multiply(amount, usd_per_unit).quantize(_FOUR_DECIMALS, context=_EXACT)


def _code(cell: CellRecord | None) -> str | None:
    return cell.code if cell else None


def _plain(number: Decimal | None) -> str | None:
    """1234.5 and not 1.2345E+3 or 1234.5000000000."""
    if number is None:
        return None
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
