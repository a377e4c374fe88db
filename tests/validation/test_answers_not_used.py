"""Answers in 审核意见 that are not used are told: how many, which, why, and their text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.findings import Finding, Severity, Wording
from pipelines.review_sheet import Answer, Why
from pipelines.validation.covers import with_answers
from pipelines.validation.messages import DESK_REMARKS, message_frame

TEXT = "新签年度合同，一次性确认"


def query(cell: str = "D11", given: str = "500", **more: object) -> Finding:
    end = message_frame().end[Severity.WARNING]
    message = Wording(f"与上月相同。{end.zh}〔Q2a〕", f"As last month.{end.en} [Q2a]")
    made = Finding("Q2a", Severity.WARNING, message, "FM-2", "服务进出口", cell, f"E01/{cell}", given)
    return replace(made, **more)  # type: ignore[arg-type]


def answer(to: Finding, text: str = TEXT, trouble: str = "") -> Answer:
    return Answer(to.rule, to.sheet, to.cell, to.key, to.given, text, trouble)


def told(findings: list[Finding], *answers: Answer) -> Finding:
    *_, last = with_answers(findings, answers)
    assert (last.rule, last.severity) == ("M7", Severity.INFO)
    assert last.rule in DESK_REMARKS
    return last


def test_where_every_answer_is_used_nothing_is_said() -> None:
    assert [one.rule for one in with_answers([query()], [answer(query())])] == ["Q2a"]
    assert with_answers([query()], []) == [query()]


@pytest.mark.parametrize(
    ("asked", "given", "zh", "en"),
    [
        (query(), answer(query(), "属实"), "“属实”：不足 5 个字", "shorter than 5 characters"),
        (query(), answer(query("D12")), "该问题已不再提出", "this is no longer asked"),
        (
            query(given="501"),
            answer(query()),
            "所答的是“500”，现填“501”",
            "it answers “500”, and “501” is entered now",
        ),
        (
            query(severity=Severity.CRITICAL),
            answer(query()),
            "该问题须更正，不能以答复代替",
            "this has to be corrected",
        ),
        (query(), answer(query(), trouble=Why.MOVED), "可能只对可见的列排过序", "were sorted"),
        (query(), answer(query(), trouble=Why.NOT_OURS), "没有批注文件的隐藏列", "lacks the hidden columns"),
        (query(), answer(query(), trouble=Why.BEYOND), "最多读取 1,000 条答复", "at most 1,000 answers"),
    ],
)
def test_an_answer_that_is_not_used_is_told_with_its_reason(
    asked: Finding, given: Answer, zh: str, en: str
) -> None:
    found = told([asked], given)
    assert found.message.zh.startswith("“审核意见”表中读到 1 条答复，其中 1 条没有采用：服务进出口 D1")
    assert f"〔Q2a〕“{given.text}”：" in found.message.zh
    assert zh in found.message.zh
    assert found.message.zh.endswith("〔M7〕")
    assert "Answers read in the sheet “Review notes”: 1; not used: 1. 服务进出口 D1" in found.message.en
    assert given.text in found.message.en
    assert en in found.message.en
    assert with_answers([asked], [given])[0] == asked


def test_the_later_of_two_answers_is_used_and_the_earlier_is_told() -> None:
    first, last = with_answers([query()], [answer(query(), "第一次的说明"), answer(query(), "第二次的说明")])
    assert first.explanation == "第二次的说明"
    assert "“第一次的说明”：同一问题另有后面的答复" in last.message.zh


def test_too_short_an_answer_below_a_good_one_does_not_take_its_place() -> None:
    first, last = with_answers([query()], [answer(query()), answer(query(), "属实")])
    assert first.explanation == TEXT
    assert "读到 2 条答复，其中 1 条没有采用" in last.message.zh


def test_an_answer_that_was_cut_is_used_and_the_cut_is_told() -> None:
    first, last = with_answers([query()], [answer(query(), "因" * 1_000, Why.CUT)])
    assert (first.severity, first.explanation) == (Severity.INFO, "因" * 1_000)
    assert (
        last.message.zh
        == "“审核意见”表中有 1 条答复超过 1,000 个字，只保留前 1,000 个字：服务进出口 D11〔Q2a〕。〔M7〕"
    )


def test_many_answers_and_long_ones_make_no_endless_message() -> None:
    found = told([], *(answer(query(f"D{row}"), "因" * 900) for row in range(11, 500)))
    assert "另有 479 条" in found.message.zh
    assert "479 more" in found.message.en
    assert len(found.message.zh) < 4_000
