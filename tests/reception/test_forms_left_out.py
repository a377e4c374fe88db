"""One return a month: a correction replaces all of it, and whoever leaves a form out is asked before figures go."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from filed_by_hand import credit_code

from pipelines.findings import Verdict
from pipelines.ledger import SHANGHAI, Ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.reception import FileResult, IncomingFile, Reception
from sample_data.rule_samples import build

SERVICES = "item_code|partner_code|export\nSJ35|USA|100\nSI2|JPN|50"
CONTRACTS = (
    "contract_no|outsourcing_type|shore|partner_code|contract_amount|executed|executed_cumulative\n"
    "C1|ITO|离岸|USA|100|10|10"
)
AFFILIATES = (
    "direction|affiliate_name|partner_code|industry_code|holding_share_pct|sales_revenue|services_revenue\n"
    "外向|甲|SGP|6513|80|900|600"
)
OF_2019 = {"head": {"reference_month": "2019年"}, "rows": AFFILIATES}
TICKED = {"head": {"is_zero_return": "☑"}}


def file(received: str, **described: Any) -> IncomingFile:
    sheets = {key.replace("_", "-") if key.startswith("FM") else key: held for key, held in described.items()}
    name, content = build({"month": "2020-03", **sheets}, credit_code(1), "示例一号服务有限公司")
    return IncomingFile(
        name, content, received_at=datetime.fromisoformat(f"{received}T09:00").replace(tzinfo=SHANGHAI)
    )


def submit(reception: Reception, *files: IncomingFile) -> list[FileResult]:
    return reception.submit(list(files), channel="test", received_by="test")


def asked(result: FileResult) -> list[tuple[str, str, str]]:
    return [(one.rule, one.given, one.expected) for one in result.findings]


def in_force(ledger: Ledger) -> list[str]:
    return [one.submission_id for one in ledger.submissions() if one.is_current_accepted]


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ({"FM_2": SERVICES, "FM_3": CONTRACTS}, {"FM_2": SERVICES}, ("FM-3: 0", "FM-3: 1")),
        ({"FM_2": SERVICES, "FM_4": OF_2019}, {"FM_2": SERVICES}, ("FM-4: 0", "FM-4: 1")),
        ({"FM_2": SERVICES}, {"FM_2": TICKED, "FM_3": CONTRACTS}, ("FM-2: 0", "FM-2: 2")),
        (
            {"FM_2": SERVICES, "FM_1": {"pairs": {"industry_code": "6513", "district_code": "420111"}}},
            {"FM_2": SERVICES},
            ("FM-1: 0", "FM-1: 1"),
        ),
        ({"FM_2": SERVICES, "FM_4": OF_2019}, {"FM_2": TICKED}, ("FM-4: 0", "FM-4: 1")),
        (
            {"FM_2": SERVICES, "FM_4": OF_2019},
            {"FM_2": SERVICES, "FM_4": {"head": {"reference_month": "2018年"}, "rows": AFFILIATES}},
            ("FM-4: 0", "FM-4: 1"),
        ),
    ],
    ids=[
        "outsourcing",
        "affiliates that rode along",
        "services",
        "registration",
        "affiliates, by a zero return",
        "affiliates of another year",
    ],
)
def test_a_correction_without_the_rows_of_a_form_in_force_is_asked_about_and_replaces_nothing_until_answered(
    reception: Reception, ledger: Ledger, before: dict[str, Any], after: dict[str, Any], lost: tuple[str, str]
) -> None:
    [first] = submit(reception, file("2020-04-05", **before))
    assert first.verdict is Verdict.ACCEPTED, first.findings
    [checked] = reception.check([file("2020-04-08", revision=True, **after)])
    [correction] = submit(reception, file("2020-04-08", revision=True, **after))
    assert ("Q16", *lost) in asked(correction)
    assert asked(checked) == asked(correction)
    assert correction.verdict is Verdict.QUERIES
    assert in_force(ledger) == [first.submission_id]
    reviewer = Actor("wang", frozenset({Role.CLERK}))
    ledger.confirm(correction.submission_id, "the form was filed by mistake", reviewer)
    assert in_force(ledger) == [correction.submission_id]


def test_a_correction_that_holds_every_form_is_taken_without_a_word(
    reception: Reception, ledger: Ledger
) -> None:
    forms = {"FM_2": SERVICES, "FM_3": CONTRACTS, "FM_4": OF_2019}
    more = CONTRACTS.replace("|10|10", "|11|11")
    _, correction = submit(
        reception, file("2020-04-05", **forms), file("2020-04-08", revision=True, **(forms | {"FM_3": more}))
    )
    assert asked(correction) == []
    assert in_force(ledger) == [correction.submission_id]


def test_a_correction_that_is_a_zero_return_says_itself_that_the_month_holds_nothing(
    reception: Reception, ledger: Ledger
) -> None:
    _, correction = submit(
        reception,
        file("2020-04-05", FM_2=SERVICES, FM_3=CONTRACTS),
        file("2020-04-08", revision=True, FM_2=TICKED),
    )
    assert asked(correction) == []
    assert correction.is_zero_return
    assert in_force(ledger) == [correction.submission_id]


def test_in_a_batch_the_correction_is_held_against_the_return_of_the_same_batch(reception: Reception) -> None:
    _, correction = submit(
        reception,
        file("2020-04-05", FM_2=SERVICES, FM_3=CONTRACTS),
        file("2020-04-08", revision=True, FM_2=SERVICES),
    )
    assert asked(correction) == [("Q16", "FM-3: 0", "FM-3: 1")]


def test_a_form_of_a_year_in_a_file_of_its_own_is_not_left_out_by_the_months_correction(
    reception: Reception, ledger: Ledger
) -> None:
    year, _, correction = submit(
        reception,
        file("2020-04-04", FM_4=OF_2019),
        file("2020-04-05", FM_2=SERVICES),
        file("2020-04-08", revision=True, FM_2=SERVICES.replace("|50", "|51")),
    )
    assert asked(correction) == []
    assert in_force(ledger) == [year.submission_id, correction.submission_id]


def test_who_files_another_form_of_the_month_is_told_to_put_all_forms_into_one_workbook(
    reception: Reception,
) -> None:
    _, second = submit(
        reception,
        file("2020-04-05", FM_2=SERVICES),
        file("2020-04-08", FM_2=SERVICES, FM_3=CONTRACTS),
    )
    [finding] = second.findings
    assert finding.rule == "H7c"
    assert "同一个工作簿" in finding.message.zh
    assert "整份" in finding.message.zh
    assert "replaces the whole return" in finding.message.en
