"""What becomes of enterprises: dated events, spells folded from them, and nothing ever deleted."""

from __future__ import annotations

from datetime import date

import pytest
from desk_scene import (
    ADMINISTRATOR,
    HONGSHAN,
    JIANGHAN,
    MARCH,
    REGISTER,
    REPORTER,
    WANG,
    a_query,
    a_register,
    close,
    file,
    reopen,
)

from pipelines.findings import Verdict
from pipelines.ledger import (
    CannotChangeRegister,
    EnterpriseClass,
    EnterpriseSpell,
    EventKind,
    Ledger,
    RegisterRow,
    UnknownEnterprise,
    UnknownSubmission,
)
from pipelines.ledger.actors import Actor, NotAllowed
from pipelines.ledger.register import LifeEvent, NewEvent
from pipelines.ledger.reminders import ReminderKind
from pipelines.periods import Month

MAY = Month(2026, 5)
NEWCOMER = "91330100799655058B"  # a public code, in nobody's register here


def record(
    ledger: Ledger, kind: EventKind, month: Month = MAY, code: str = "E01", **facts: object
) -> LifeEvent:
    return ledger.register.record(NewEvent(code, kind, month, **facts), WANG)  # type: ignore[arg-type]


def spells(ledger: Ledger, code: str = "E01") -> list[tuple[str, str, date | None, date | None]]:
    return [
        (one.district_code, one.industry_code, one.from_month_start_date, one.to_month_start_date)
        for one in ledger.enterprises()
        if one.enterprise_code == code
    ]


def test_events_of_all_kinds_fold_into_spells(ledger: Ledger) -> None:
    a_register(ledger)
    record(ledger, EventKind.MOVED_DISTRICT, Month(2026, 2), district_code="420103")
    record(ledger, EventKind.CHANGED_INDUSTRY, Month(2026, 4), industry_code="7259")
    record(ledger, EventKind.LEFT, MAY, reason="注销登记")
    record(ledger, EventKind.ENTERED, Month(2026, 8), district_code="420111", industry_code="6510")
    assert spells(ledger) == [
        ("420111", "6510", date(2025, 1, 1), date(2026, 1, 1)),
        ("420103", "6510", date(2026, 2, 1), date(2026, 3, 1)),
        ("420103", "7259", date(2026, 4, 1), date(2026, 4, 1)),
        ("420111", "6510", date(2026, 8, 1), None),
    ]


def test_an_event_recorded_later_may_lie_before_one_recorded_earlier(ledger: Ledger) -> None:
    a_register(ledger)
    record(ledger, EventKind.MOVED_DISTRICT, MAY, district_code="420103")
    record(ledger, EventKind.CHANGED_INDUSTRY, Month(2026, 3), industry_code="7259")
    assert spells(ledger) == [
        ("420111", "6510", date(2025, 1, 1), date(2026, 2, 1)),
        ("420111", "7259", date(2026, 3, 1), date(2026, 4, 1)),
        ("420103", "7259", date(2026, 5, 1), None),
    ]


def test_a_merged_enterprise_leaves_and_its_successor_is_noted(ledger: Ledger) -> None:
    a_register(ledger)
    record(ledger, EventKind.MERGED, successor_code="E02", reason="吸收合并")
    assert spells(ledger) == [("420111", "6510", date(2025, 1, 1), date(2026, 4, 1))]
    gone = ledger.register.enterprise("E01", WANG, month=MAY)
    assert (gone.is_expected, gone.end_kind, gone.successor_code) == (False, "merged", "E02")
    assert ledger.register.enterprise("E01", WANG, month=Month(2026, 4)).is_expected


def test_a_change_of_class_is_dated_and_none_of_the_statistics_business(ledger: Ledger) -> None:
    a_register(ledger)
    before = ledger.enterprises()
    record(ledger, EventKind.CHANGED_CLASS, enterprise_class=EnterpriseClass.KEY)
    assert ledger.enterprises() == before
    assert (
        ledger.register.enterprise("E01", WANG, month=Month(2026, 4)).enterprise_class
        is EnterpriseClass.ORDINARY
    )
    assert ledger.register.enterprise("E01", WANG, month=MAY).enterprise_class is EnterpriseClass.KEY


def test_a_void_event_is_as_if_it_had_not_been_and_stays_on_record(ledger: Ledger) -> None:
    a_register(ledger)
    before = ledger.enterprises()
    left = record(ledger, EventKind.LEFT, reason="误以为已注销")
    void = ledger.register.void(left.event_id, "该企业并未注销", WANG)
    assert (void.is_void, void.voided_by, void.void_reason) == (True, "wang", "该企业并未注销")
    assert ledger.enterprises() == before
    assert [(one.event_kind, one.is_void) for one in ledger.register.events("E01", WANG)] == [
        (EventKind.ENTERED, False),
        (EventKind.LEFT, True),
    ]
    with pytest.raises(CannotChangeRegister, match="已经作废"):
        ledger.register.void(left.event_id, "该企业并未注销", WANG)


def test_a_contact_changes_without_a_trace_in_the_spells_but_in_the_log(ledger: Ledger) -> None:
    a_register(ledger)
    before = ledger.enterprises()
    ledger.register.record(
        NewEvent("E01", EventKind.CHANGED_CONTACT, MAY, contact="陈", phone="13900000000"), REPORTER
    )
    assert ledger.enterprises() == before
    now = ledger.register.enterprise("E01", REPORTER)
    assert (now.contact, now.phone) == ("陈", "13900000000")
    [*_, entry] = ledger.audit.trail("enterprise", "E01")
    assert (entry.action, entry.actor) == ("enterprise.changed_contact", "e01")
    assert entry.old == {"contact": "张", "phone": "027-E01"}


def test_a_register_file_leaves_what_was_recorded_at_the_desk(ledger: Ledger) -> None:
    a_register(ledger)
    record(ledger, EventKind.LEFT, reason="注销登记")
    a_register(ledger)
    assert spells(ledger)[-1][3] == date(2026, 4, 1)
    ledger.import_register([RegisterRow("E01", "E01公司", "420103", "6510", Month(2025, 1))])
    assert spells(ledger) == [("420103", "6510", date(2025, 1, 1), date(2026, 4, 1))]
    assert ledger.register.enterprise("E01", WANG).contact == "张"  # the file says nothing of it


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (NewEvent("E01", EventKind.LEFT, Month(2024, 5), reason="注销登记"), "不在名录中"),
        (NewEvent("E01", EventKind.LEFT, MAY), "请写明原因"),
        (NewEvent("E01", EventKind.ENTERED, MAY, district_code="420111"), "已在名录中"),
        (NewEvent("E01", EventKind.MOVED_DISTRICT, MAY), "所在区"),
        (NewEvent("E01", EventKind.MOVED_DISTRICT, MAY, district_code="420111"), "没有变更"),
        (
            NewEvent("E01", EventKind.CHANGED_CLASS, MAY, enterprise_class=EnterpriseClass.ORDINARY),
            "没有变更",
        ),
        (NewEvent("E01", EventKind.MERGED, MAY, reason="吸收合并"), "并入的企业"),
        (NewEvent("E01", EventKind.MERGED, MAY, successor_code="E01", reason="吸收合并"), "不在名录中"),
        (NewEvent("E01", EventKind.MERGED, MAY, successor_code="E99", reason="吸收合并"), "不在名录中"),
        (NewEvent("E01", EventKind.CHANGED_CONTACT, MAY), "联系人或电话"),
        (NewEvent(NEWCOMER, EventKind.ENTERED, MAY, district_code="420111"), "单位名称"),
    ],
)
def test_what_does_not_fit_the_register_is_refused_and_nothing_is_written(
    ledger: Ledger, new: NewEvent, says: str
) -> None:
    a_register(ledger)
    before, entries = ledger.enterprises(), len(ledger.register.events("E01", WANG))
    with pytest.raises(CannotChangeRegister, match=says):
        ledger.register.record(new, WANG)
    assert ledger.enterprises() == before
    assert len(ledger.register.events("E01", WANG)) == entries
    with pytest.raises(UnknownEnterprise):
        ledger.register.enterprise(NEWCOMER, WANG)


@pytest.mark.parametrize(
    ("kind", "facts", "field", "says"),
    [
        (EventKind.ENTERED, {"code": "NOTACODE<b>"}, "enterprise_code", "18 位"),
        (EventKind.ENTERED, {"code": "A/B"}, "enterprise_code", "18 位"),
        (EventKind.ENTERED, {"code": "913301007996550580"}, "enterprise_code", "末位应为 B"),
        (EventKind.ENTERED, {"code": ""}, "enterprise_code", "统一社会信用代码"),
        (EventKind.ENTERED, {"enterprise_name": ""}, "enterprise_name", "单位名称"),
        (EventKind.ENTERED, {"district_code": "999999"}, "district_code", "“999999”：不是本市"),
        (EventKind.ENTERED, {"industry_code": "垃圾"}, "industry_code", "“垃圾”：不是《国民经济行业分类》"),
        (EventKind.MOVED_DISTRICT, {"code": "E01", "district_code": "999999"}, "district_code", "不是本市"),
        (EventKind.CHANGED_INDUSTRY, {"code": "E01", "industry_code": "9901"}, "industry_code", "GB/T 4754"),
        (EventKind.CHANGED_INDUSTRY, {"code": "E01", "industry_code": "A6513"}, "industry_code", "GB/T 4754"),
        (EventKind.MERGED, {"code": "E01", "successor_code": "x", "reason": "合并"}, "successor_code", "X"),
    ],
)
def test_a_code_that_cannot_be_one_is_refused_at_its_field(
    ledger: Ledger, kind: EventKind, facts: dict[str, str], field: str, says: str
) -> None:
    a_register(ledger)
    before = ledger.enterprises()
    given = {"district_code": "420111", "enterprise_name": "新公司"} | facts
    code = given.pop("code", NEWCOMER)
    with pytest.raises(CannotChangeRegister, match=says) as refused:
        record(ledger, kind, code=code, **given)
    assert refused.value.field == field
    assert ledger.enterprises() == before


def test_codes_may_be_written_as_people_write_them(ledger: Ledger) -> None:
    a_register(ledger)
    record(
        ledger,
        EventKind.ENTERED,
        code=f" {NEWCOMER.lower()} ",
        district_code="武昌",
        industry_code="Ｉ６５１３",
        enterprise_name="新公司",
    )
    assert spells(ledger, NEWCOMER) == [("420106", "I6513", date(2026, 5, 1), None)]


def test_a_new_enterprise_may_enter_at_the_desk(ledger: Ledger) -> None:
    a_register(ledger)
    record(
        ledger,
        EventKind.ENTERED,
        code=NEWCOMER,
        district_code="420111",
        industry_code="6510",
        enterprise_name="新公司",
        enterprise_class=EnterpriseClass.KEY,
    )
    assert (
        EnterpriseSpell(NEWCOMER, "新公司", "420111", "6510", date(2026, 5, 1), None) in ledger.enterprises()
    )


def test_a_closed_month_keeps_its_register_until_it_is_revised(ledger: Ledger) -> None:
    a_register(ledger)
    close(ledger, MAY)
    with pytest.raises(CannotChangeRegister, match="2026年5月已结账"):
        record(ledger, EventKind.LEFT, Month(2026, 4), reason="注销登记")
    record(ledger, EventKind.CHANGED_CLASS, Month(2026, 4), enterprise_class=EnterpriseClass.KEY)
    reopen(ledger, MAY)
    record(ledger, EventKind.LEFT, Month(2026, 4), reason="注销登记")


def test_clerks_keep_the_register_and_the_others_only_see_their_own(ledger: Ledger) -> None:
    a_register(ledger)
    left = NewEvent("E01", EventKind.LEFT, MAY, reason="注销登记")
    for actor in (HONGSHAN, REPORTER):
        with pytest.raises(NotAllowed):
            ledger.register.record(left, actor)
    for actor in (JIANGHAN, ADMINISTRATOR):
        with pytest.raises(UnknownEnterprise):
            ledger.register.record(left, actor)
        with pytest.raises(UnknownEnterprise):
            ledger.register.events("E01", actor)
    assert [one.enterprise_code for one in ledger.register.page(HONGSHAN).enterprises] == ["E01", "E02"]
    assert [one.enterprise_code for one in ledger.register.page(REPORTER).enterprises] == ["E01"]
    assert ledger.register.page(ADMINISTRATOR).enterprises == []
    assert ledger.register.page(WANG, search="e03").enterprise_count == 1
    assert ledger.register.page(WANG).enterprise_count == len(REGISTER)


# -- whose an enterprise is when it moves ---------------------------------------------------------------------


def seen(ledger: Ledger, actor: Actor, month: Month | None = None) -> bool:
    return "E01" in [one.enterprise_code for one in ledger.register.page(actor, month=month).enterprises]


def test_a_move_that_is_planned_gives_nothing_to_the_new_district_before_it_takes_effect(
    ledger: Ledger,
) -> None:
    a_register(ledger)
    one = file(ledger, "a", findings=(a_query(),))
    planned = Month(2099, 1)
    record(ledger, EventKind.MOVED_DISTRICT, planned, district_code="420103")

    assert (seen(ledger, HONGSHAN), seen(ledger, JIANGHAN)) == (True, False)
    assert (seen(ledger, HONGSHAN, planned), seen(ledger, JIANGHAN, planned)) == (False, True)
    assert ledger.register.enterprise("E01", WANG).district_code == "420111"
    [item] = ledger.reviews.queue(HONGSHAN).items
    assert item.district_code == "420111"
    assert ledger.reviews.queue(JIANGHAN).items == []
    assert ledger.reviews.submissions(JIANGHAN).submissions == []
    for act in (
        lambda: ledger.reviews.view(one.submission_id, JIANGHAN),
        lambda: ledger.confirm(one.submission_id, "已与企业核实，确有大额合同", JIANGHAN),
    ):
        with pytest.raises(UnknownSubmission):
            act()
    with pytest.raises(UnknownEnterprise):
        ledger.reminders.record(["E01"], MARCH, ReminderKind.LETTER, JIANGHAN)
    ledger.reminders.record(["E01"], MARCH, ReminderKind.LETTER, HONGSHAN)
    confirmed = ledger.confirm(one.submission_id, "已与企业核实，确有大额合同", HONGSHAN)
    assert confirmed.status is Verdict.ACCEPTED


def test_a_return_stays_with_the_district_of_its_month(ledger: Ledger) -> None:
    a_register(ledger)
    march = file(ledger, "march", findings=(a_query(),))
    may = file(ledger, "may", month="2026-05", findings=(a_query(),))
    record(ledger, EventKind.MOVED_DISTRICT, MAY, district_code="420103")
    for actor, own, other in ((HONGSHAN, march, may), (JIANGHAN, may, march)):
        assert [one.submission_id for one in ledger.reviews.submissions(actor).submissions] == [
            own.submission_id
        ]
        [item] = ledger.reviews.queue(actor).items
        assert (item.submission.submission_id, item.district_code) == (
            own.submission_id,
            sorted(actor.district_codes)[0],
        )
        assert ledger.reviews.view(own.submission_id, actor).submission == own
        with pytest.raises(UnknownSubmission):
            ledger.reviews.view(other.submission_id, actor)


def test_an_enterprise_that_left_stays_with_its_last_district_and_one_to_come_with_its_first(
    ledger: Ledger,
) -> None:
    a_register(ledger)
    record(ledger, EventKind.LEFT, MAY, reason="注销")
    assert seen(ledger, HONGSHAN)
    assert ledger.register.enterprise("E01", HONGSHAN).end_kind == "left"
    to_come = NewEvent(
        NEWCOMER, EventKind.ENTERED, Month(2099, 1), district_code="420103", enterprise_name="新企业"
    )
    ledger.register.record(to_come, WANG)
    shown = ledger.register.enterprise(NEWCOMER, JIANGHAN)
    assert (shown.is_expected, shown.end_kind, shown.district_code) == (False, "", "420103")


def test_an_enterprise_that_is_to_leave_is_expected_until_then(ledger: Ledger) -> None:
    a_register(ledger)
    record(ledger, EventKind.LEFT, Month(2099, 1), reason="注销")
    shown = ledger.register.enterprise("E01", WANG)
    assert (shown.is_expected, shown.end_kind) == (True, "")
    after = ledger.register.enterprise("E01", WANG, month=Month(2099, 1))
    assert (after.is_expected, after.end_kind) == (False, "left")
