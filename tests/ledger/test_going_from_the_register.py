"""An enterprise does not go from a month for which its return counts, nor before another is merged into it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from desk_scene import AN_ERROR, LI, WANG, ZHAO, a_query, a_register, close, file

from pipelines.ledger import CannotChangeRegister, EventKind, Ledger, RegisterRow
from pipelines.ledger.register import LifeEvent, NewEvent, RowsRefused
from pipelines.periods import Month

FEBRUARY, MARCH, APRIL, MAY = (Month(2026, number) for number in (2, 3, 4, 5))


def leave(ledger: Ledger, month: Month, code: str = "E01") -> LifeEvent:
    return ledger.register.record(NewEvent(code, EventKind.LEFT, month, reason="注销登记"), WANG)


def merge(ledger: Ledger, month: Month, code: str = "E01", into: str = "E02") -> LifeEvent:
    return ledger.register.record(
        NewEvent(code, EventKind.MERGED, month, successor_code=into, reason="吸收合并"), WANG
    )


def there(ledger: Ledger, month: Month, code: str = "E01") -> bool:
    return ledger.register.enterprise(code, WANG, month=month).is_expected


@pytest.mark.parametrize("go", [leave, merge])
@pytest.mark.parametrize("is_zero", [False, True])
def test_it_goes_only_after_the_last_return_that_counts(
    ledger: Ledger, go: Callable[[Ledger, Month], LifeEvent], is_zero: bool
) -> None:
    a_register(ledger)
    for month in ("2026-01", "2026-03", "2026-04"):
        file(ledger, month, month=month, is_zero=is_zero)
    events = len(ledger.register.events("E01", WANG))
    with pytest.raises(CannotChangeRegister, match="2026年3月、2026年4月的报表已通过") as refused:
        go(ledger, MARCH)
    assert "生效月份改为2026年5月或以后" in refused.value.wording.zh
    assert "请先将其退回" in refused.value.wording.zh
    assert "March 2026, April 2026" in refused.value.wording.en
    assert "May 2026 or later" in refused.value.wording.en
    assert len(ledger.register.events("E01", WANG)) == events
    assert there(ledger, MAY)
    go(ledger, MAY)
    assert (there(ledger, APRIL), there(ledger, MAY)) == (True, False)


def test_what_was_sent_back_holds_nobody(ledger: Ledger) -> None:
    a_register(ledger)
    one = file(ledger, "march")
    ledger.reviews.send_back(one.submission_id, "该企业已注销，不应报送", ZHAO)
    leave(ledger, MARCH)
    assert not there(ledger, MARCH)


@pytest.mark.parametrize("findings", [(a_query(),), (AN_ERROR,)])
def test_a_return_that_is_not_accepted_holds_nobody(ledger: Ledger, findings: tuple[object, ...]) -> None:
    a_register(ledger)
    file(ledger, "march", findings=findings)  # type: ignore[arg-type]
    leave(ledger, MARCH)
    assert not there(ledger, MARCH)


def test_an_accepted_version_holds_while_its_correction_waits(ledger: Ledger) -> None:
    a_register(ledger)
    file(ledger, "march")
    file(ledger, "march again", findings=(a_query(),))
    with pytest.raises(CannotChangeRegister, match="2026年3月的报表已通过"):
        leave(ledger, MARCH)


def test_a_joint_return_counts_in_both_its_months(ledger: Ledger) -> None:
    a_register(ledger)
    file(ledger, "joint", month="2026年1-2月")
    with pytest.raises(CannotChangeRegister, match=r"2026年1—2月的报表已通过.*2026年3月或以后"):
        leave(ledger, FEBRUARY)
    leave(ledger, MARCH)


def test_the_affiliates_of_a_year_may_come_after_it_has_gone(ledger: Ledger) -> None:
    a_register(ledger)
    file(ledger, "year", month="2025")  # comes in April 2026, counted in March
    leave(ledger, FEBRUARY)
    assert not there(ledger, MARCH)


def test_many_months_are_counted_not_listed(ledger: Ledger) -> None:
    a_register(ledger)
    for number in range(1, 13):
        file(ledger, f"2025 {number}", month=f"2025-{number:02}")
    file(ledger, "2026", month="2026-01")
    with pytest.raises(CannotChangeRegister, match="2025年12月等 13 个报告期"):
        leave(ledger, Month(2025, 1))


def test_an_entering_that_a_return_rests_on_is_not_voided(ledger: Ledger) -> None:
    a_register(ledger)
    leave(ledger, Month(2026, 2))
    again = ledger.register.record(NewEvent("E01", EventKind.ENTERED, MARCH, district_code="420111"), WANG)
    file(ledger, "march")
    with pytest.raises(CannotChangeRegister, match="请不要作废该事件"):
        ledger.register.void(again.event_id, "并未重新纳入", WANG)
    assert there(ledger, MARCH)


def test_what_was_away_from_its_month_before_is_nobodys_fault_now(ledger: Ledger) -> None:
    a_register(ledger)
    left = leave(ledger, MARCH)
    file(ledger, "march")  # as the door took it once
    ledger.register.record(NewEvent("E01", EventKind.CHANGED_INDUSTRY, FEBRUARY, industry_code="7259"), WANG)
    ledger.register.void(left.event_id, "该企业并未注销", WANG)
    assert there(ledger, MARCH)


# -- register files -------------------------------------------------------------------------------------------


def rows(first: Month, last: Month | None) -> list[RegisterRow]:
    return [
        RegisterRow("E01", "E01公司", "420111", "6510", first, last),
        RegisterRow("E02", "E02公司", "420111", "6510", Month(2025, 1)),
        RegisterRow("E03", "E03公司", "420103", "6510", Month(2025, 1), FEBRUARY),
    ]


@pytest.mark.parametrize(
    ("first", "last"), [(Month(2025, 1), FEBRUARY), (Month(2026, 4), None)], ids=["left", "entered later"]
)
def test_a_file_is_refused_whole_and_says_whose_rows_leave_a_return_behind(
    ledger: Ledger, first: Month, last: Month | None
) -> None:
    a_register(ledger)
    file(ledger, "one", "E01")
    file(ledger, "three", "E03")
    before, entries = ledger.enterprises(), ledger.audit.head().sequence
    for act in (ledger.register.preview_rows, ledger.register.import_rows):
        with pytest.raises(RowsRefused) as refused:
            act(rows(first, last), LI)
        assert sorted(refused.value.by_code) == ["E01", "E03"]
        assert "2026年3月的报表已通过" in refused.value.by_code["E01"].zh
        assert "请把该企业的起止月份改为包括这些月份" in refused.value.by_code["E03"].zh
        assert "March 2026" in refused.value.by_code["E03"].en
    assert (ledger.enterprises(), ledger.audit.head().sequence) == (before, entries)


def test_a_closed_month_refuses_a_file_by_its_enterprises_too(ledger: Ledger) -> None:
    a_register(ledger)
    close(ledger)
    with pytest.raises(RowsRefused) as refused:
        ledger.register.import_rows(rows(Month(2025, 1), FEBRUARY), LI)
    assert sorted(refused.value.by_code) == ["E01", "E03"]
    assert all("2026年3月已结账" in wording.zh for wording in refused.value.by_code.values())


# -- mergers --------------------------------------------------------------------------------------------------


def test_a_successor_does_not_go_before_the_merger(ledger: Ledger) -> None:
    a_register(ledger)
    merged = merge(ledger, MAY)
    for month in (APRIL, MAY):
        with pytest.raises(CannotChangeRegister, match=r"E01 自2026年5月起并入 E02.*2026年6月或以后"):
            leave(ledger, month, "E02")
    with pytest.raises(RowsRefused, match="并入 E02"):
        ledger.register.import_rows(
            [RegisterRow("E02", "E02公司", "420111", "6510", Month(2025, 1), APRIL)], LI
        )
    assert there(ledger, MAY, "E02")
    leave(ledger, Month(2026, 6), "E02")
    ledger.register.void(merged.event_id, "并未合并", WANG)
    leave(ledger, APRIL, "E02")


def test_who_came_back_and_left_in_one_month_was_merged_before_all_the_same(ledger: Ledger) -> None:
    a_register(ledger)
    merge(ledger, MAY)
    ledger.register.record(NewEvent("E01", EventKind.ENTERED, MAY, district_code="420111"), WANG)
    leave(ledger, MAY)
    gone = ledger.register.enterprise("E01", WANG, month=MAY)
    assert (gone.is_expected, gone.end_kind, gone.successor_code) == (False, "merged", "E02")


def test_who_moved_and_left_in_one_month_has_left(ledger: Ledger) -> None:
    a_register(ledger)
    ledger.register.record(NewEvent("E01", EventKind.MOVED_DISTRICT, MAY, district_code="420103"), WANG)
    leave(ledger, MAY)
    gone = ledger.register.enterprise("E01", WANG, month=MAY)
    assert (gone.is_expected, gone.end_kind, gone.district_code) == (False, "left", "420111")
