"""What a page says of an accepted return follows whether it counts: the word, the headline, the next step."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest
from fastapi import FastAPI
from filed_by_hand import Line, a_workbook
from portal_bureau import OUR_NAME, OURS, Browser, Bureau, Filed, SignedInPeople
from sqlalchemy import update

from pipelines.findings import Verdict
from pipelines.ledger import Submission
from pipelines.ledger import tables as t
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.months import MonthActKind
from pipelines.paths import SQL_DIR
from pipelines.periods import Month
from pipelines.portal.app import create_app
from pipelines.portal.standing import JOINT, displacing, standing_of

LINE = Line(export=120, export_ytd=120, imports=3, imports_ytd=3, export_share=40)
REASON = "二月签订了新的服务合同，一次性结算。"
COUNTS = {"zh": "本表已计入统计", "en": "This return counts. There is nothing more to do."}
JANUARY, FEBRUARY = Month(2020, 1), Month(2020, 2)
CHEN, LI = (Actor(name, frozenset({role})) for name, role in (("chen", Role.ANALYST), ("li", Role.CLERK)))


@pytest.fixture
def own_app(own_bureau: Bureau, people: SignedInPeople) -> FastAPI:
    return create_app(own_bureau.settings, own_bureau.ledger, accounts=people)


def january(bureau: Bureau, amount: int = 120, **more: object) -> Submission:
    line = replace(LINE, export=amount, export_ytd=amount)
    return bureau.file(a_workbook(OURS, "2020-01", [line], name=OUR_NAME, **more))  # type: ignore[arg-type]


def act(bureau: Bureau, kind: MonthActKind, month: Month = JANUARY) -> None:
    months = bureau.ledger.months
    months.propose(month, kind, "收表期已过，按程序办理", CHEN)
    months.confirm(month, LI)


def banner(app: FastAPI, submission: Submission, language: str = "zh", path: str = "") -> str:
    """The headline and what follows, as the enterprise reads them."""
    one = Browser(app, "ours")
    one.client.cookies.set("servtrade_view", language)
    page = one.get(f"/submissions/{submission.submission_id}{path}").text
    found = re.search(r'<div class="verdict-banner.*?</div>', page, flags=re.DOTALL)
    return found[0] if found else page


def word_in_lists(app: FastAPI, submission: Submission) -> set[str]:
    """The words of this return in the list of filings and on the home page."""
    words = set()
    for path in ("/submissions", "/"):
        page = Browser(app, "ours").get(path).text
        row = re.search(
            rf'<tr>\s*<th scope="row"><a href="/submissions/{submission.submission_id}".*?</tr>',
            page,
            flags=re.DOTALL,
        )
        assert row, path
        [state] = re.findall(r'class="verdict verdict-(\w+)"', row[0])
        words.add(state)
    return words


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_version_that_was_replaced_names_and_links_the_one_that_counts(
    own_app: FastAPI, own_bureau: Bureau, language: str
) -> None:
    first = january(own_bureau)
    assert COUNTS[language] in banner(own_app, first, language)
    second = january(own_bureau, 110, is_revision=True)
    assert second.is_current_accepted
    said = banner(own_app, first, language)
    assert COUNTS[language] not in said
    assert {"zh": "第 2 版已通过并取代本版", "en": "Version 2 has been accepted in its place"}[
        language
    ] in said
    assert f'href="/submissions/{second.submission_id}"' in said
    assert "symbol-accepted" not in said
    assert word_in_lists(own_app, first) == {"superseded"}
    assert word_in_lists(own_app, second) == {"accepted"}
    assert COUNTS[language] in banner(own_app, second, language)


def test_a_version_counts_on_while_its_correction_is_not_accepted(
    own_app: FastAPI, own_bureau: Bureau
) -> None:
    first = january(own_bureau)
    second = january(own_bureau, 110)  # not marked as a correction
    assert second.status is Verdict.REJECTED
    said = banner(own_app, first)
    assert "本版目前仍计入统计。此后报送的第 2 版尚未通过" in said
    assert f'href="/submissions/{second.submission_id}"' in said
    third = january(own_bureau, 110, is_revision=True)
    said = banner(own_app, second)
    assert "此后已报送第 3 版" in said
    assert "请按下面列出的单元格更正" not in said
    assert f'href="/submissions/{third.submission_id}"' in said


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_was_accepted_after_the_closing_counts_once_the_month_is_reopened(
    own_app: FastAPI, own_bureau: Bureau, language: str
) -> None:
    january(own_bureau)
    odd = replace(LINE, export=1_250_000, export_ytd=1_250_120, imports_ytd=6)
    queried = own_bureau.file(a_workbook(OURS, "2020-02", [odd], name=OUR_NAME))
    assert queried.status is Verdict.QUERIES
    act(own_bureau, MonthActKind.CLOSE)
    act(own_bureau, MonthActKind.CLOSE, FEBRUARY)
    assert {"zh": "即使通过，也不改变已结账的数据", "en": "changes nothing that was closed"}[
        language
    ] in banner(own_app, queried, language)
    own_bureau.ledger.confirm(queried.submission_id, REASON, LI)
    said = banner(own_app, queried, language)
    assert COUNTS[language] not in said
    assert {"zh": "该月重开修订后即计入统计", "en": "It counts once the month is reopened"}[language] in said
    assert "symbol-accepted" not in said
    assert word_in_lists(own_app, queried) == {"after_closing"}
    act(own_bureau, MonthActKind.REOPEN, FEBRUARY)
    assert COUNTS[language] in banner(own_app, queried, language)


def test_a_late_revision_of_a_month_that_was_reopened_since_counts_like_any_other(
    own_app: FastAPI, own_bureau: Bureau
) -> None:
    first = january(own_bureau)
    act(own_bureau, MonthActKind.CLOSE)
    late = january(own_bureau, 110, is_revision=True)
    assert late.status is Verdict.ACCEPTED
    assert late.is_late_revision
    assert word_in_lists(own_app, late) == {"after_closing"}
    said = banner(own_app, first)
    assert "已结账的数据以本版为准。第 2 版在结账后通过" in said
    act(own_bureau, MonthActKind.REOPEN)
    assert COUNTS["zh"] in banner(own_app, late)
    assert "结账" not in banner(own_app, late)
    assert word_in_lists(own_app, first) == {"superseded"}


def test_what_is_sent_back_after_the_closing_is_not_said_to_count_for_nothing(
    own_app: FastAPI, own_bureau: Bureau
) -> None:
    first = january(own_bureau)
    act(own_bureau, MonthActKind.CLOSE)
    own_bureau.ledger.reviews.send_back(first.submission_id, "请核对金额的计量单位", LI)
    said = banner(own_app, first)
    assert "已结账的数据仍以本表为准" in said
    assert "本表目前没有计入统计" not in said


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_month_displaced_by_a_joint_return_names_and_links_it(
    own_app: FastAPI, own_bureau: Bureau, language: str
) -> None:
    single = january(own_bureau)
    joint = own_bureau.file(
        a_workbook(OURS, "2020-02", [LINE], name=OUR_NAME, period="2020年1-2月"), name="合并.xlsx"
    )
    with own_bureau.ledger._engine.begin() as connection:  # as one from before rule H7e stands in the ledger
        connection.execute(
            update(t.submission)
            .where(t.submission.c.submission_id == joint.submission_id)
            .values(status=Verdict.ACCEPTED.value)
        )
    said = banner(own_app, single, language)
    assert COUNTS[language] not in said
    assert {"zh": "2020年1—2月的报表已通过并计入统计", "en": "this return does not count"}[language] in said
    assert f'href="/submissions/{joint.submission_id}"' in said
    assert word_in_lists(own_app, single) == {"displaced"}
    assert COUNTS[language] in banner(own_app, joint, language)


def test_a_receipt_keeps_what_was_said_and_the_page_adds_how_things_stand(
    own_app: FastAPI, own_bureau: Bureau
) -> None:
    first = january(own_bureau)
    second = january(own_bureau, 110, is_revision=True)
    one = Browser(own_app, "ours")
    page = one.get(f"/submissions/{first.submission_id}/receipt").text
    before, after = page.split('<article class="receipt">')
    assert "第 2 版已通过并取代本版" in before
    assert f'href="/submissions/{second.submission_id}"' in before
    assert "取代" not in after


def test_the_result_of_an_upload_shows_no_tick_for_what_came_after_the_closing(
    own_bureau: Bureau, people: SignedInPeople
) -> None:
    january(own_bureau)
    act(own_bureau, MonthActKind.CLOSE)
    from pipelines.reception.uploads import UploadDesk

    with UploadDesk(own_bureau.settings, own_bureau.ledger) as desk:
        app = create_app(own_bureau.settings, own_bureau.ledger, accounts=people, uploads=desk)
        one = Browser(app, "ours")
        line = replace(LINE, export=110, export_ytd=110)
        files = [
            ("files", ("一月.xlsx", a_workbook(OURS, "2020-01", [line], name=OUR_NAME, is_revision=True))),
            ("files", ("坏.xlsx", b"no workbook")),
        ]
        location = one.post("/uploads", files=files).headers["location"]
        desk.wait_for(location.rpartition("/")[2], people.people["ours"].actor, seconds=30)
        page = one.get(location).text
    row = re.search(r'<tr id="file-\d+">(?:(?!</tr>).)*一月\.xlsx.*?</tr>', page, flags=re.DOTALL)
    assert row
    assert "通过（结账后，未计入）" in row[0]
    assert 'class="verdict verdict-accepted"' not in page


# -- the same as the computation ----------------------------------------------------------------------------


def _returns(like: Submission, order: Sequence[str]) -> list[Submission]:
    """Accepted returns of one enterprise in this order of arrival: jan, feb or both."""
    kinds = {"jan": ("month", 1), "feb": ("month", 2), "both": (JOINT, 2)}
    return [
        replace(
            like,
            submission_id=f"{place}-{name}",
            sequence=place,
            period_kind=kinds[name][0],
            period_start_date=date(2020, 1 if name == "both" else kinds[name][1], 1),
            month_start_date=date(2020, kinds[name][1], 1),
            is_current=True,
            is_latest_accepted=True,
            is_current_accepted=True,
        )
        for place, name in enumerate(order, start=1)
    ]


@pytest.mark.parametrize(
    "order",
    [
        order
        for size in (1, 2, 3)
        for names in itertools.combinations(("jan", "feb", "both"), size)
        for order in itertools.permutations(names)
    ],
    ids="-".join,
)
def test_the_pages_say_of_january_and_february_what_the_computation_does(
    filed: Filed, order: tuple[str, ...]
) -> None:
    returns = _returns(filed.accepted, order)
    warehouse = duckdb.connect()
    warehouse.execute("create schema raw")
    warehouse.execute(
        "create table raw.enterprise (enterprise_code varchar, district_code varchar,"
        " from_month_start_date date, to_month_start_date date)"
    )
    warehouse.execute(
        "create table raw.submission (submission_id varchar, sequence bigint, enterprise_code varchar,"
        " month_start_date date, period_start_date date, period_kind varchar, kind varchar,"
        " is_zero_return boolean, is_late boolean, is_current_accepted boolean)"
    )
    warehouse.executemany(
        "insert into raw.submission values (?, ?, ?, ?, ?, ?, 'return', false, false, true)",
        [
            (
                one.submission_id,
                one.sequence,
                one.enterprise_code,
                one.month_start_date,
                one.period_start_date,
                one.period_kind,
            )
            for one in returns
        ],
    )
    query = Path(SQL_DIR / "validated" / "filing.sql").read_text(encoding="utf-8")
    counted = {
        row[3]
        for month in (1, 2)
        for row in warehouse.execute(query, {"month_start_date": date(2020, month, 1)}).fetchall()
    }
    said = {
        one.submission_id
        for one in returns
        if displacing(one, [other for other in returns if other is not one]) is None
    }
    assert said == counted
    assert {one.submission_id for one in returns if standing_of(one, rivals=returns).is_counted} == counted
