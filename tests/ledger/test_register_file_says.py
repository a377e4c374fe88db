"""A register file changes what it says and nothing else: class and industry that it leaves out stay."""

from __future__ import annotations

from datetime import date

import pytest
from desk_scene import WANG, close

from pipelines.ledger import EnterpriseClass, EventKind, Ledger, RegisterRow
from pipelines.ledger.register import NewEvent, RegisterChange
from pipelines.periods import Month

CODE = "91330100799655058B"
MARCH, MAY, JULY = Month(2020, 3), Month(2020, 5), Month(2020, 7)
KEY, ORDINARY = EnterpriseClass.KEY, EnterpriseClass.ORDINARY


def row(
    first: Month | None = MARCH, industry: str = "6513", district: str = "420103", **more: object
) -> RegisterRow:
    return RegisterRow(CODE, "甲公司", district, industry, first, **more)  # type: ignore[arg-type]


def record(ledger: Ledger, kind: EventKind, month: Month, **facts: object) -> None:
    ledger.register.record(NewEvent(CODE, kind, month, **facts), WANG)  # type: ignore[arg-type]


def enter(ledger: Ledger, month: Month = MARCH, industry: str = "6513") -> None:
    """The enterprise enters at the desk, as a key enterprise."""
    record(
        ledger,
        EventKind.ENTERED,
        month,
        district_code="420103",
        industry_code=industry,
        enterprise_class=KEY,
        enterprise_name="甲公司",
    )


def take_in(ledger: Ledger, *rows: RegisterRow) -> RegisterChange | None:
    """Import rows; what the preview said that they change, None for nothing."""
    told = ledger.register.preview_rows(rows, WANG)
    assert ledger.register.import_rows(rows, WANG) == len(told)
    assert ledger.register.preview_rows(rows, WANG) == []  # and a second time nothing
    return told[0] if told else None


def class_in(ledger: Ledger, month: Month = JULY) -> EnterpriseClass:
    return ledger.register.enterprise(CODE, WANG, month=month).enterprise_class


def industries(ledger: Ledger) -> list[tuple[str, date | None]]:
    return [(one.industry_code, one.from_month_start_date) for one in ledger.enterprises()]


@pytest.mark.parametrize("first", [Month(2020, 1), MARCH, MAY], ids=["before", "same month", "after"])
def test_an_enterprise_entered_as_key_stays_so_when_a_file_has_it_too(ledger: Ledger, first: Month) -> None:
    enter(ledger)
    told = take_in(ledger, row(first))
    assert told is not None
    assert not told.changes_class
    assert class_in(ledger) is KEY


@pytest.mark.parametrize("month", [MARCH, MAY])
def test_a_class_set_at_the_desk_outlives_an_import_that_changes_something_else(
    ledger: Ledger, month: Month
) -> None:
    take_in(ledger, row())
    record(ledger, EventKind.CHANGED_CLASS, month, enterprise_class=KEY)
    told = take_in(ledger, row(industry="6420"))
    assert told is not None
    assert not told.changes_class
    assert (class_in(ledger), industries(ledger)) == (KEY, [("6420", date(2020, 3, 1))])


def test_a_class_set_at_the_desk_outlives_a_file_that_has_it_leave_and_come_back(ledger: Ledger) -> None:
    take_in(ledger, row())
    record(ledger, EventKind.CHANGED_CLASS, MARCH, enterprise_class=KEY)
    take_in(ledger, row(to_month=Month(2020, 4)), row(JULY))
    assert class_in(ledger) is KEY


def test_a_file_with_the_class_changes_it_and_the_preview_says_so(ledger: Ledger) -> None:
    enter(ledger)
    told = take_in(ledger, row(enterprise_class=ORDINARY))
    assert told is not None
    assert (told.changes_class, told.class_before, told.class_after) == (True, "key", "ordinary")
    assert [event[4] for event in told.new_events] == ["ordinary"]
    assert class_in(ledger) is ORDINARY
    [*_, entry] = ledger.audit.trail("enterprise", CODE)
    assert entry.new["events"][0][4] == "ordinary"  # type: ignore[index, call-overload]


def test_a_file_may_change_the_class_from_a_month_on(ledger: Ledger) -> None:
    take_in(ledger, row(enterprise_class=ORDINARY, to_month=Month(2020, 4)), row(MAY, enterprise_class=KEY))
    assert (class_in(ledger, Month(2020, 4)), class_in(ledger, MAY)) == (ORDINARY, KEY)
    assert industries(ledger) == [("6513", date(2020, 3, 1))]  # none of the statistics' business


def test_class_and_industry_of_an_earlier_file_stay_where_the_next_leaves_them_blank(ledger: Ledger) -> None:
    take_in(ledger, row(enterprise_class=KEY))
    told = take_in(ledger, row(industry="", district="420106"))
    assert told is not None
    assert [event[2:] for event in told.new_events] == [("420106", "6513", "key")]
    assert (class_in(ledger), industries(ledger)) == (KEY, [("6513", date(2020, 3, 1))])
    assert take_in(ledger, row(industry="")) is not None  # back to the first district
    assert industries(ledger) == [("6513", date(2020, 3, 1))]


def test_an_industry_set_at_the_desk_stays_where_a_file_leaves_it_blank(ledger: Ledger) -> None:
    take_in(ledger, row(industry=""))
    record(ledger, EventKind.CHANGED_INDUSTRY, MARCH, industry_code="6420")
    take_in(ledger, row(industry="", district="420106"))
    assert industries(ledger) == [("6420", date(2020, 3, 1))]
    take_in(ledger, row(industry="6513", district="420106"))
    assert industries(ledger) == [("6513", date(2020, 3, 1))]


def test_blank_cells_of_a_later_row_are_as_in_the_row_before(ledger: Ledger) -> None:
    take_in(
        ledger,
        row(enterprise_class=KEY, to_month=Month(2020, 4)),
        row(MAY, industry="", district="420106", to_month=Month(2020, 6)),
        row(JULY, industry="6420", district="420106"),
    )
    assert industries(ledger) == [
        ("6513", date(2020, 3, 1)),
        ("6513", date(2020, 5, 1)),
        ("6420", date(2020, 7, 1)),
    ]
    assert class_in(ledger) is KEY


def test_an_enterprise_that_was_not_there_is_new_whatever_its_class(ledger: Ledger) -> None:
    told = take_in(ledger, row(enterprise_class=KEY))
    assert told is not None
    assert (told.is_new, told.changes_class) == (True, False)
    assert class_in(ledger) is KEY


def test_a_class_changes_in_a_closed_month_too(ledger: Ledger) -> None:
    take_in(ledger, row())
    close(ledger, MARCH)
    told = take_in(ledger, row(enterprise_class=KEY))
    assert told is not None
    assert told.changes_class
