"""The month's board: who is to file, where each return stands, by district; and the list of whom to remind.

What counts as what is the ledger's business (`ledger.board`); here it is asked with a filter and shown, a page of
enterprises at a time, or given out as a workbook.
"""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from pipelines import codes
from pipelines.findings import Wording
from pipelines.ledger import SHANGHAI, Ledger
from pipelines.ledger.actors import Role
from pipelines.ledger.board import BoardFilter, BoardRow, MonthBoard, ReturnState, SortKey
from pipelines.ledger.months import STATE_NAMES
from pipelines.periods import Month, period_name
from pipelines.portal.access import Visitor, allowed
from pipelines.portal.asked import month_asked
from pipelines.portal.downloads import WORKBOOK, hand_out
from pipelines.portal.frame import NavigationItem, frame_of, page
from pipelines.portal.language import day_name, moment, said

router = APIRouter()
STAFF = (Role.CLERK, Role.ANALYST, Role.DISTRICT_REVIEWER)
NAVIGATION = (NavigationItem("/board", "board.navigation", frozenset(STAFF), place=15),)

_PAGE_SIZE = 100
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_SORTS: tuple[str, ...] = get_args(SortKey)
# Columns of the table and of the workbook, in their order; those that can be sorted by have a key of the ledger's.
COLUMNS: tuple[tuple[str, str], ...] = (
    ("code", "code"),
    ("name", "name"),
    ("district", "district"),
    ("state", "state"),
    ("filed", "filed"),
    ("contact", ""),
    ("phone", ""),
    ("reminded", "reminded"),
)


@router.get("/board")
def board(
    request: Request,
    month: str = "",
    district: str = "",
    state: str = "",
    only: str = "",
    q: str = "",
    sort: str = "state",
    down: bool = False,
    at: int = 1,
    visitor: Visitor = Depends(allowed(*STAFF)),
) -> Response:
    """The board of a month, filtered and sorted."""
    chosen = month_of(request, month)
    wanted = filter_of(district, state, only, q, sort, down=down)
    shown = look(request, visitor, chosen, wanted, at=at)
    asked = {
        "month": str(chosen),
        "district": wanted.district_code,
        "state": state if wanted.states else "",
        "only": only if only in ONLY else "",
        "q": wanted.search,
    }
    order = {"sort": wanted.sort, "down": "true" if wanted.is_descending else ""}
    return page(
        request,
        "board.html",
        visitor,
        board=shown,
        districts=_named_districts(shown),
        state_names=[one.value for one in ReturnState],
        only_names=ONLY,
        asked=asked,
        sort=wanted.sort,
        is_descending=wanted.is_descending,
        columns=COLUMNS,
        district_name=district_name,
        state_name=STATE_NAMES.__getitem__,
        link=lambda **changes: "/board?" + _query({**asked, **order, **changes}),
        page_link=lambda at: "/board?" + _query({**asked, **order, "at": str(at)}),
        all_link=lambda **filters: "/board?" + _query({"month": str(chosen), **filters}),
        export_link="/board/workbook?" + _query({**asked, **order}),
        previous_month=str(chosen.previous),
        next_month=str(chosen.plus(1)),
    )


@router.get("/board/workbook")
def board_workbook(
    request: Request,
    month: str = "",
    district: str = "",
    state: str = "",
    only: str = "",
    q: str = "",
    sort: str = "state",
    down: bool = False,
    visitor: Visitor = Depends(allowed(*STAFF)),
) -> Response:
    """The list as filtered, all pages of it, as a workbook: 催报名单 when it lists who has not filed."""
    chosen = month_of(request, month)
    wanted = filter_of(district, state, only, q, sort, down=down)
    shown = look(request, visitor, chosen, wanted, page_size=None)
    is_reminder_list = wanted.states == {ReturnState.NOT_FILED}
    title = _word(request, visitor, "board.list_to_remind" if is_reminder_list else "board.list_of_returns")
    heading = _word(
        request,
        visitor,
        "board.heading_to_remind" if is_reminder_list else "board.heading_of_returns",
        month=period_name(chosen, visitor.language),
    )
    content = list_workbook(request, visitor, shown, heading)
    return hand_out(
        request,
        visitor,
        content,
        f"{chosen}_{title}.xlsx",
        WORKBOOK,
        of=("month", str(chosen)),
        copy="board",
        district=wanted.district_code,
        state=state if wanted.states else "",
        only=only if only in ONLY else "",
        enterprises=shown.row_count,
    )


# What only some rows are, by the name in the address and the field of the filter.
ONLY = {
    "key": "only_key",
    "zero": "only_zero",
    "late": "only_late",
    "late_revision": "only_late_revisions",
    "explained": "only_explained",
    "not_reminded": "only_not_reminded",
}


def filter_of(district: str, state: str, only: str, q: str, sort: str, *, down: bool) -> BoardFilter:
    """The ledger's filter for what stands in the address; what is not understood does not filter."""
    states = frozenset({ReturnState(state)}) if state in set(ReturnState) else frozenset[ReturnState]()
    flags: dict[str, Any] = {ONLY[only]: True} if only in ONLY else {}
    key: Any = sort if sort in _SORTS else "state"
    return BoardFilter(
        district_code=district[:32],
        states=states,
        search=q.strip()[:60],
        sort=key,
        is_descending=down,
        **flags,
    )


def look(
    request: Request,
    visitor: Visitor,
    month: Month,
    wanted: BoardFilter,
    *,
    at: int = 1,
    page_size: int | None = _PAGE_SIZE,
) -> MonthBoard:
    """The board of the month as this visitor may see it, by the portal's clock."""
    ledger: Ledger = request.app.state.ledger
    return ledger.board.look(
        month,
        visitor.actor,
        wanted,
        deadline_day=request.app.state.settings.filing_deadline_day,
        today=today(request),
        page=at,
        page_size=page_size,
    )


def today(request: Request) -> date:
    """The day by the portal's clock."""
    day: date = request.app.state.today()
    return day


def month_of(request: Request, text: str) -> Month:
    """The month asked for; without one, the last that is over: its returns are due now."""
    if not text:
        return Month.of(today(request)).previous
    return month_asked(text)


def district_name(code: str) -> Wording:
    """Name of a district; an unknown code is shown as it is."""
    try:
        found = codes.district(code)
    except codes.UnknownCode:
        return Wording(code or "—", code or "—")
    return Wording(found.name_zh, found.name_en)


def list_workbook(request: Request, visitor: Visitor, shown: MonthBoard, title: str) -> bytes:
    """The rows of a board as a workbook: texts as texts, whatever they begin with."""
    import xlsxwriter

    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    try:
        head = workbook.add_format({"bold": True, "bg_color": "#EEF1F5", "border": 1, "text_wrap": True})
        text = workbook.add_format({"border": 1, "valign": "top", "text_wrap": True})
        # Names and contacts are what somebody typed: one that begins like a formula stays text when edited, too.
        odd_text = workbook.add_format(
            {"border": 1, "valign": "top", "text_wrap": True, "quote_prefix": True}
        )
        sheet = workbook.add_worksheet(str(shown.month))
        sheet.write_string(0, 0, title, workbook.add_format({"bold": True, "font_size": 14}))
        sheet.write_string(
            1,
            0,
            _word(
                request,
                visitor,
                "board.list_basis",
                deadline=day_name(shown.deadline, visitor.language),
                count=shown.row_count,
            )
            + moment(datetime.now(SHANGHAI)),
        )
        for column, ((name, _), width) in enumerate(
            zip(COLUMNS, (22, 40, 24, 14, 20, 14, 18, 34), strict=True)
        ):
            sheet.set_column(column, column, width)
            sheet.write_string(2, column, _word(request, visitor, f"board.column_{name}"), head)
        for number, row in enumerate(shown.rows, start=3):
            for column, value in enumerate(_values(request, visitor, row)):
                is_odd = value.startswith(_BEGINS_A_FORMULA)
                sheet.write_string(number, column, value, odd_text if is_odd else text)
        sheet.freeze_panes(3, 2)
        sheet.autofilter(2, 0, max(2, 2 + len(shown.rows)), len(COLUMNS) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(2)
        sheet.set_footer("&C&P / &N")
    finally:
        workbook.close()
    return buffer.getvalue()


def _values(request: Request, visitor: Visitor, row: BoardRow) -> tuple[str, ...]:
    reminded = ""
    if row.last_reminder is not None:
        kind = _word(request, visitor, f"reminders.kind_{row.last_reminder.reminder_kind.value}")
        reminded = f"{moment(row.last_reminder.reminded_at)} {kind} {row.last_reminder.spoken_to}".strip()
    state = _word(request, visitor, f"board.state_{row.state.value}")
    if row.has_late_revision:
        state = f"{state} · {_word(request, visitor, 'board.tag_late_revision')}"
    return (
        row.enterprise_code,
        row.enterprise_name,
        said(district_name(row.district_code), visitor.language),
        state,
        moment(row.received_at),
        row.contact,
        row.phone,
        reminded,
    )


def _word(request: Request, visitor: Visitor, key: str, **values: object) -> str:
    return frame_of(request).words.translator(visitor.language)(key, **values)


def _named_districts(shown: MonthBoard) -> list[tuple[str, Wording]]:
    """Districts of the board, for the choice, in the order of the board."""
    return [(one.district_code, district_name(one.district_code)) for one in shown.districts]


def _query(values: dict[str, str]) -> str:
    return urlencode({name: value for name, value in values.items() if value})
