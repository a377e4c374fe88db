"""The unit in the head of DM-4, whose rows carry units of their own: counts and shares are units there too."""

from __future__ import annotations

import pytest

from pipelines.intake import read_file
from pipelines.records import ParsedFile
from sample_data.rule_samples import build


def read(
    unit: str, form: str = "DM-4", rows: str = "indicator|period|value\n贷款余额同比增速|2020|12.5"
) -> ParsedFile:
    name, content = build({form: {"head": {"unit": unit}, "rows": rows}}, "", "", "市统计局")
    return read_file(name, content)


def head_unit(parsed: ParsedFile) -> str | None:
    [cell] = [one for one in parsed.cells if one.section == "head" and one.field == "unit"]
    return cell.code


@pytest.mark.parametrize(("typed", "kept"), [("%", "%"), ("％", "%"), ("万人次", "万人次"), (" 家 ", "家")])
def test_a_share_or_a_count_is_a_unit_of_departmental_indicators(typed: str, kept: str) -> None:
    parsed = read(typed)
    assert parsed.findings == ()
    assert head_unit(parsed) == kept


def test_money_is_still_read_as_money() -> None:
    assert head_unit(read("亿美元")) == "USD_100M"


@pytest.mark.parametrize("typed", ["万", "若干", "平方米"])
def test_what_is_no_unit_is_still_refused(typed: str) -> None:
    assert [found.rule for found in read(typed).findings] == ["P05"]


def test_other_tables_take_money_only() -> None:
    parsed = read("%", "DM-2", "month|import|export\n2020-03|5|1")
    assert [found.rule for found in parsed.findings if found.severity.value == "critical"] == ["P05"]
