"""Files that hold only forms of a year or half-year: no month's return, counted when they come, beside closed months."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from filed_by_hand import credit_code

from pipelines.cli.commands.status import month_status
from pipelines.findings import Verdict
from pipelines.ledger import SHANGHAI, Ledger, Submission
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.months import MonthActKind
from pipelines.periods import Month
from pipelines.reception import FileResult, IncomingFile, Reception
from sample_data.rule_samples import build

SERVICES = "item_code|partner_code|export\nSJ35|USA|{amount}"
AFFILIATES = (
    "direction|affiliate_name|partner_code|industry_code|holding_share_pct|sales_revenue|services_revenue\n"
    "外向|甲|SGP|6513|80|900|{amount}"
)
PERSONS = "direction|item_code|partner_code|person_count|person_days|contract_amount|remuneration\n接收|SJ31|DEU|2|60|9|4"


def file(month: str, received: str, **described: Any) -> IncomingFile:
    sheets = {key.replace("_", "-") if key.startswith("FM") else key: held for key, held in described.items()}
    name, content = build({"month": month, **sheets}, credit_code(1), "示例一号服务有限公司")
    return IncomingFile(
        name, content, received_at=datetime.fromisoformat(f"{received}T09:00").replace(tzinfo=SHANGHAI)
    )


def affiliates(received: str, amount: int = 600, **more: Any) -> IncomingFile:
    rows = AFFILIATES.format(amount=amount)
    return file("2020-03", received, FM_4={"head": {"reference_month": "2019年"}, "rows": rows}, **more)


def submit(reception: Reception, *files: IncomingFile) -> list[FileResult]:
    return reception.submit(list(files), channel="test", received_by="test")


def recorded(ledger: Ledger, result: FileResult) -> Submission:
    [one] = [one for one in ledger.submissions() if one.submission_id == result.submission_id]
    return one


@pytest.mark.parametrize(
    ("received", "counted"), [("2020-01-05", "2019-12"), ("2020-04-20", "2020-03"), ("2020-12-31", "2020-11")]
)
def test_such_a_file_is_counted_with_the_returns_collected_when_it_comes_and_is_never_late(
    reception: Reception, ledger: Ledger, received: str, counted: str
) -> None:
    [result] = submit(reception, affiliates(received))
    assert result.verdict is Verdict.ACCEPTED, result.findings
    one = recorded(ledger, result)
    assert (str(one.period_start_date), one.period_kind) == ("2019-01-01", "year")
    assert one.month_start_date == Month.parse(counted).start_date
    assert not one.is_late


def test_it_neither_stands_for_the_months_return_nor_takes_its_place(
    reception: Reception, ledger: Ledger
) -> None:
    [alone] = submit(reception, affiliates("2020-04-05"))
    march = Month(2020, 3)
    status = month_status(march, ledger.enterprises(), ledger.submissions(march))
    assert (status.expected, len(status.not_filed)) == (30, 30)
    [month] = submit(reception, file("2020-03", "2020-04-08", FM_2=SERVICES.format(amount=1)))
    assert month.verdict is Verdict.ACCEPTED, month.findings
    assert recorded(ledger, alone).is_current_accepted
    assert recorded(ledger, month).is_current_accepted
    status = month_status(march, ledger.enterprises(), ledger.submissions(march))
    assert (status.accepted, len(status.not_filed)) == (1, 29)


def test_two_forms_of_one_half_year_in_two_files_do_not_replace_each_other(
    reception: Reception, ledger: Ledger
) -> None:
    cases = (
        "case_name|delivery_mode|item_code|partner_code|annual_amount|summary\n"
        "云上设计|数字交付|SJ31|DEU|10|为德国客户在线完成设计"
    )
    results = submit(
        reception, file("2020-06", "2020-07-05", FM_5=PERSONS), file("2020-06", "2020-07-06", FM_8=cases)
    )
    assert [result.verdict for result in results] == [Verdict.ACCEPTED, Verdict.ACCEPTED]
    assert all(recorded(ledger, result).is_current_accepted for result in results)


def test_filed_again_without_the_mark_it_is_asked_about_and_with_it_it_is_the_next_version(
    reception: Reception, ledger: Ledger
) -> None:
    [first] = submit(reception, affiliates("2020-04-05"))
    [again] = submit(reception, affiliates("2020-04-06", 650))
    assert again.verdict is Verdict.REJECTED
    assert "H7c" in {finding.rule for finding in again.findings}
    [marked] = submit(reception, affiliates("2020-04-07", 660, revision=True))
    assert marked.verdict is Verdict.ACCEPTED, marked.findings
    assert not recorded(ledger, first).is_current_accepted
    assert recorded(ledger, marked).is_current_accepted


def test_the_same_year_in_the_months_workbook_is_asked_about_and_both_stand_until_then(
    reception: Reception, ledger: Ledger
) -> None:
    [alone] = submit(reception, affiliates("2020-04-05"))
    sheet = {"head": {"reference_month": "2019年"}, "rows": AFFILIATES.format(amount=650)}
    [month] = submit(reception, file("2020-04", "2020-05-06", FM_2=SERVICES.format(amount=1), FM_4=sheet))
    assert [finding.rule for finding in month.findings] == ["Q18"]
    assert month.verdict is Verdict.QUERIES
    assert recorded(ledger, alone).is_current_accepted


def test_a_years_form_that_comes_after_its_months_were_closed_counts_and_changes_none_of_them(
    reception: Reception, ledger: Ledger
) -> None:
    december = Month(2019, 12)
    submit(reception, file("2019-12", "2020-01-05", FM_2=SERVICES.format(amount=1)))
    clerk, analyst = Actor("li", frozenset({Role.CLERK})), Actor("wang", frozenset({Role.ANALYST}))
    ledger.months.propose(
        december, MonthActKind.CLOSE, "all returns of December are in", clerk, today=date(2020, 1, 15)
    )
    ledger.months.confirm(december, analyst, today=date(2020, 1, 16))
    before = [one.submission_id for one in ledger.counted_submissions(december)]
    [result] = submit(reception, affiliates("2020-04-05"))
    assert result.verdict is Verdict.ACCEPTED, result.findings
    one = recorded(ledger, result)
    assert one.is_current_accepted
    assert one.month_start_date == date(2020, 3, 1)
    assert [one.submission_id for one in ledger.counted_submissions(december)] == before
