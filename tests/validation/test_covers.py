"""The same query for the same reason: what an explanation answers, and for how long; and the words of a 退回."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.findings import Finding, Severity, Wording
from pipelines.periods import Month
from pipelines.review_sheet import Answer
from pipelines.validation.covers import Doubted, Explained, StandingExplanations, with_answers
from pipelines.validation.messages import message_frame
from pipelines.validation.return_texts import return_text

JANUARY = Month(2026, 1)
QUERY = Finding(
    "Q2a",
    Severity.WARNING,
    Wording(
        f"填报 500，与上月完全相同。{message_frame().end[Severity.WARNING].zh}〔Q2a〕",
        f"You entered 500, exactly last month's figure.{message_frame().end[Severity.WARNING].en} [Q2a]",
    ),
    "FM-2",
    "服务进出口",
    "F18",
    "E01/SI2/USA/export",
    "500",
    fingerprint="amount=500",
)


def standing(*months: Month, is_reviewed: bool = True) -> StandingExplanations:
    found = StandingExplanations()
    for month in months:
        found.add("E01", Explained("Q2a", QUERY.key, "amount=500", month, f"固定月费 {month}", is_reviewed))
    return found


@pytest.mark.parametrize(
    ("is_reviewed", "covered_months"), [(True, [0, 1, 12]), (False, [0])], ids=["taken", "only given"]
)
def test_what_a_reviewer_took_holds_for_a_year_and_what_is_only_given_for_its_own_month(
    is_reviewed: bool, covered_months: list[int]
) -> None:
    found = standing(JANUARY, is_reviewed=is_reviewed)
    later = [
        months
        for months in (-1, 0, 1, 12, 13)
        if found.cover("E01", JANUARY.plus(months), [QUERY])[0].severity is Severity.INFO
    ]
    assert later == covered_months


ANSWER = Answer("Q2a", "服务进出口", "F18", QUERY.key, "500", " 固定月费，合同在案 ")


@pytest.mark.parametrize(
    ("refused_because", "is_kept", "says"),
    [
        (None, True, "您已说明：“固定月费，合同在案”。该疑问此前的说明未被采纳"),
        ("请附合同首页", False, "您的说明“固定月费，合同在案”此前未被采纳（审核意见：请附合同首页）"),
    ],
)
def test_a_query_in_doubt_is_covered_by_nothing_and_answered_for_a_reviewer_only(
    refused_because: str | None, is_kept: bool, says: str
) -> None:
    found = standing(JANUARY)
    found.doubt("E01", Doubted("Q2a", QUERY.key, "amount=500", JANUARY, lambda _: refused_because))
    assert found.cover("E01", JANUARY, [QUERY]) == [QUERY]
    [told] = found.cover("E01", JANUARY, with_answers([QUERY], [ANSWER]))
    assert (told.severity, told.sameness, told.key) == (Severity.WARNING, QUERY.sameness, QUERY.key)
    assert (told.explanation, told.explanation_origin) == (
        ("固定月费，合同在案", "workbook") if is_kept else ("", "")
    )
    assert told.message.zh.startswith(f"填报 500，与上月完全相同。{says}")
    assert told.message.zh.endswith("〔Q2a〕")
    assert "不影响提交" not in told.message.zh
    assert "does not hold up" not in told.message.en
    # What waits for a reviewer covers no other file.
    found.keep("E01", JANUARY, [told])
    assert found.cover("E01", JANUARY, [QUERY]) == [QUERY]
    # Another month is another matter.
    assert found.cover("E01", JANUARY.plus(1), [QUERY])[0].severity is Severity.INFO


@pytest.mark.parametrize(
    "other",
    [
        replace(QUERY, fingerprint="amount=501"),
        replace(QUERY, key="E01/SI2/JPN/export"),
        replace(QUERY, rule="Q2b"),
        replace(QUERY, fingerprint=""),
        replace(QUERY, severity=Severity.CRITICAL),
    ],
)
def test_another_query_is_not_covered(other: Finding) -> None:
    assert standing(JANUARY).cover("E01", JANUARY, [other]) == [other]


def test_one_enterprise_explains_nothing_for_another() -> None:
    assert standing(JANUARY).cover("E02", JANUARY, [QUERY]) == [QUERY]


def test_the_latest_reason_is_quoted_in_place_of_the_request() -> None:
    [found] = standing(JANUARY, JANUARY.plus(2), JANUARY.plus(1)).cover("E01", JANUARY.plus(3), [QUERY])
    assert (found.explanation, found.explained_period) == ("固定月费 2026-03", "2026-03")
    assert (
        found.message.zh
        == "填报 500，与上月完全相同。2026年3月已说明：“固定月费 2026-03”，不影响提交。〔Q2a〕"
    )
    assert found.message.en == (
        "You entered 500, exactly last month's figure. Explained for March 2026: “固定月费 2026-03”; this does not hold "
        "up your return. [Q2a]"
    )


def test_a_long_reason_is_quoted_in_part_and_kept_whole() -> None:
    found = StandingExplanations()
    found.add("E01", Explained("Q2a", QUERY.key, "amount=500", JANUARY, "长" * 900))
    [covered] = found.cover("E01", JANUARY, [QUERY])
    assert len(covered.explanation) == 900
    assert "长" * 200 + "…”" in covered.message.zh
    assert "长" * 201 not in covered.message.zh


def test_what_a_file_explains_itself_covers_the_next_version_and_no_later_month() -> None:
    found = StandingExplanations()
    answered = with_answers([QUERY], [ANSWER])
    assert [one.explanation for one in answered] == ["固定月费，合同在案"]
    found.keep("E01", JANUARY, answered)
    [covered] = found.cover("E01", JANUARY, [QUERY])
    assert covered.explanation_origin == "earlier"
    assert found.cover("E01", JANUARY.plus(1), [QUERY]) == [QUERY]


@pytest.mark.parametrize("text", ["", "  好  ", "是的"])
def test_an_answer_that_says_nothing_is_none(text: str) -> None:
    assert with_answers([QUERY], [Answer("Q2a", "服务进出口", "F18", QUERY.key, "500", text)])[0] == QUERY


def test_a_sending_back_names_each_rule_once_with_its_cells_errors_first() -> None:
    error = replace(QUERY, rule="H2", severity=Severity.CRITICAL, cell="G11")
    text = return_text(
        [QUERY, error, replace(error, cell="G12"), replace(QUERY, severity=Severity.INFO)], " 请于周五前重报 "
    )
    assert text.zh.splitlines() == [
        "请更正或说明以下问题后重新报送：",
        "1. 累计不等于上月累计加本月（须更正）：服务进出口 G11、服务进出口 G12。〔H2〕",
        "2. 与上月数值相同（请核对，属实请说明）：服务进出口 F18。〔Q2a〕",
        "请于周五前重报",
    ]
    assert text.en.splitlines()[1].startswith("1. Year to date is not last month's plus this month")


def test_a_sending_back_without_findings_is_the_reviewers_own_words() -> None:
    assert return_text([], "请附合同首页").zh == "请附合同首页"


def test_many_cells_are_counted_and_an_unknown_rule_speaks_for_itself() -> None:
    many = [
        replace(QUERY, rule="ZZ", cell=f"F{number}", message=Wording("说不清。", "Unclear."))
        for number in range(20)
    ]
    [_, line] = return_text(many).zh.splitlines()
    assert line.startswith("1. 说不清（请核对")
    assert "等 20 处" in line
