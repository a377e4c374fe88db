"""Blank forms of a month for the enterprises of the register: which forms, what they start with, one file or a ZIP.

Here the pieces meet that do not know each other: the register and the last accepted returns (ledger, lines), what
the rules ask (validation), and how a form is drawn (intake.template).
"""

from __future__ import annotations

import io
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from threading import Lock
from typing import Any, Final

from pipelines import codes
from pipelines.findings import Wording
from pipelines.intake.layouts import FormLayout, layout_book
from pipelines.intake.template import Carried, Guidance, Order, Stationery, due_forms, guidance_of
from pipelines.ledger import EnterpriseSpell, Ledger, Submission
from pipelines.ledger.actors import Actor
from pipelines.periods import Month, Period
from pipelines.reception.names import shown_name
from pipelines.settings import Settings
from pipelines.stores import Lines
from pipelines.validation.form_limits import form_limits

JOINT: Final = "months_1_2"
_HISTORY_MONTHS = 12
_MONTHS_KEPT = 4  # stationery of so many months is kept by one object
_REGISTRATION = "FM-1"
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_ENTERPRISES_A_READING = 100


class NoBlankForm(LookupError):
    """There is no blank form to give: no such enterprise in the month for this person, or no such form. Bilingual."""

    def __init__(self, wording: Wording) -> None:
        super().__init__(f"{wording.zh} / {wording.en}")
        self.wording = wording


@dataclass(frozen=True, slots=True)
class BlankForm:
    """One enterprise's workbook of a month.

    period             what it is for: the month, or January and February together where their joint return stands;
                       `month` is the one that was asked for
    carried_from       month of the return whose rows and unit it starts with; None where there is none
    carried_row_count  rows that stand in it already, without amounts
    """

    enterprise_code: str
    enterprise_name: str
    district_code: str
    month: Month
    form_codes: tuple[str, ...]
    file_name: str
    content: bytes = field(repr=False)
    carried_from: Month | None = None
    carried_row_count: int = 0
    is_revision: bool = False
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class _Source:
    """What one form of an enterprise is carried over from."""

    submission: Submission
    month: Month


def archived(forms: Iterable[BlankForm]) -> bytes:
    """Workbooks as one ZIP, in the order given, without a clock: the same workbooks give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for form in forms:
            info = zipfile.ZipInfo(form.file_name, _ZIP_TIME)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, form.content)  # a workbook is compressed already
    return buffer.getvalue()


class BlankForms:
    """Gives blank forms to whoever may see the enterprise. Keep one, for all threads: it keeps what it has drawn.

    Raises NoBlankForm where there is nothing to give; an enterprise that the actor may not see is answered as one
    that does not exist.
    """

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self._settings = settings
        self._ledger = ledger
        self._lines = Lines(settings.lines_dir)
        self._stationery: dict[Period, Stationery] = {}
        self._choosing = Lock()

    def forms_of(self, month: Month) -> tuple[FormLayout, ...]:
        """Every return form in force in a month, by number: what may be asked for."""
        stationery = self._of(Period(month, "month"))
        found = (stationery.layout_of(form_code) for form_code in sorted(layout_book().by_form))
        return tuple(layout for layout in found if layout is not None)

    def is_there(self, enterprise_code: str, month: Month, actor: Actor) -> bool:
        """Whether `one` has a workbook for this actor: the enterprise is to file for the month."""
        return bool(self._spells_of(enterprise_code, month, actor))

    def one(
        self,
        enterprise_code: str,
        month: Month,
        actor: Actor,
        *,
        form_codes: Sequence[str] = (),
        is_zero_return: bool = False,
    ) -> BlankForm:
        """One enterprise's workbook. `form_codes` empty: the forms that are due and apply.

        `is_zero_return` ticks 本月无业务 and carries nothing: the return that somebody files with one click.
        """
        spells = self._spells_of(enterprise_code, month, actor)
        if not spells:
            raise NoBlankForm(
                Wording(
                    f"{month:zh}的直报名录中没有企业 {enterprise_code}，或您无权下载该企业的空表。请核对统一社会信用代码和月份。",
                    f"There is no enterprise {enterprise_code} on the register of {month:en} whose forms you may have. "
                    "Check the credit code and the month.",
                )
            )
        forms = self._make(spells[:1], month, form_codes, is_zero_return=is_zero_return)
        return next(iter(forms))

    def many(
        self,
        month: Month,
        actor: Actor,
        *,
        enterprise_codes: Iterable[str] | None = None,
        form_codes: Sequence[str] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[BlankForm]:
        """Workbooks of all enterprises of the month that the actor may see, or of some of them, by district and code.

        `progress` is told how many are made, of how many. Enterprises that are not on the register of the month
        raise NoBlankForm before the first workbook.
        """
        spells = self._spells(month, actor)
        if enterprise_codes is not None:
            wanted = {code.strip().upper() for code in enterprise_codes}
            missing = sorted(wanted - {spell.enterprise_code for spell in spells})
            if missing:
                raise NoBlankForm(
                    Wording(
                        f"{month:zh}的直报名录中没有这些企业：{'、'.join(missing[:10])}。请核对。",
                        f"These enterprises are not on the register of {month:en}: {', '.join(missing[:10])}. Please check.",
                    )
                )
            spells = [spell for spell in spells if spell.enterprise_code in wanted]
        if not spells:
            raise NoBlankForm(
                Wording(
                    f"{month:zh}没有应报企业，因此没有空表可生成。请先导入名录，或核对月份。",
                    f"No enterprise is expected to file for {month:en}, so there is no blank form. Import the register "
                    "first, or check the month.",
                )
            )
        return self._counted(spells, month, form_codes, progress)

    def archive(
        self,
        month: Month,
        actor: Actor,
        *,
        enterprise_codes: Iterable[str] | None = None,
        form_codes: Sequence[str] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> bytes:
        """The workbooks of `many` as one ZIP. The same register and returns give the same bytes."""
        return archived(
            self.many(
                month, actor, enterprise_codes=enterprise_codes, form_codes=form_codes, progress=progress
            )
        )

    # -- making ----------------------------------------------------------------------------------------

    def _counted(
        self,
        spells: Sequence[EnterpriseSpell],
        month: Month,
        form_codes: Sequence[str],
        progress: Callable[[int, int], None] | None,
    ) -> Iterator[BlankForm]:
        for number, form in enumerate(self._make(spells, month, form_codes), start=1):
            if progress is not None:
                progress(number, len(spells))
            yield form

    def _make(
        self,
        spells: Sequence[EnterpriseSpell],
        month: Month,
        form_codes: Sequence[str],
        *,
        is_zero_return: bool = False,
    ) -> Iterator[BlankForm]:
        asked = self._asked_for(form_codes, month)
        due: dict[Period, tuple[FormLayout, ...]] = {}
        for start in range(0, len(spells), _ENTERPRISES_A_READING):
            group = spells[start : start + _ENTERPRISES_A_READING]
            history = self._history(group, month)
            periods = {code: _period_due(returns, month) for code, returns in history.items()}
            history = {code: _until(returns, periods[code].last) for code, returns in history.items()}
            sources = {code: _sources(returns, periods[code].last) for code, returns in history.items()}
            rows = self._rows_of(sources.values())
            for spell in group:
                returns = history.get(spell.enterprise_code, [])
                own = sources.get(spell.enterprise_code, {})
                period = periods.get(spell.enterprise_code) or Period(month, "month")
                stationery = self._of(period)
                if period not in due:
                    due[period] = due_forms(layout_book(), period.last)
                layouts = asked or _applying(due[period], own, rows, stationery.layout_of(_REGISTRATION))
                carried = {} if is_zero_return else _carried(layouts, own, rows)
                is_revision = _is_revision(returns, layouts, period)
                order = Order(
                    spell.enterprise_code,
                    spell.enterprise_name,
                    tuple(layout.form_code for layout in layouts),
                    carried,
                    is_revision=is_revision,
                    is_zero_return=is_zero_return,
                )
                months = [own[form_code].month for form_code in carried if form_code in own]
                yield BlankForm(
                    enterprise_code=spell.enterprise_code,
                    enterprise_name=spell.enterprise_name,
                    district_code=spell.district_code,
                    month=month,
                    form_codes=order.form_codes,
                    file_name=shown_name(
                        f"{spell.enterprise_code}_{spell.enterprise_name}_"
                        f"{month if period.kind == 'month' else f'{period:zh}'}.xlsx"
                    ),
                    content=stationery.workbook(order),
                    carried_from=max(months, default=None),
                    carried_row_count=sum(len(one.rows) for one in carried.values()),
                    is_revision=is_revision,
                    period=period,
                )

    def _of(self, period: Period) -> Stationery:
        with self._choosing:
            found = self._stationery.get(period)
            if found is None:
                found = Stationery(
                    layout_book(),
                    period.last,
                    form_limits(),
                    self._settings.filing_deadline_day,
                    is_joint=period.kind == JOINT,
                )
                while len(self._stationery) >= _MONTHS_KEPT:
                    del self._stationery[next(iter(self._stationery))]
                self._stationery[period] = found
            return found

    def _asked_for(self, form_codes: Sequence[str], month: Month) -> tuple[FormLayout, ...]:
        known = {layout.form_code: layout for layout in self.forms_of(month)}
        wanted = sorted({code.strip().upper() for code in form_codes})
        unknown = [code for code in wanted if code not in known]
        if unknown:
            raise NoBlankForm(
                Wording(
                    f"{month:zh}没有这些报表：{'、'.join(unknown)}。可用的有：{'、'.join(known)}。",
                    f"There are no such forms in {month:en}: {', '.join(unknown)}. There are: {', '.join(known)}.",
                )
            )
        if any(known[code].own_period_kind is None for code in wanted):
            # The workbook of a month is refused without the form that every month has.
            wanted = sorted({*wanted, "FM-2"})
        return tuple(known[code] for code in wanted)

    # -- looking up ------------------------------------------------------------------------------------

    def _spells_of(self, enterprise_code: str, month: Month, actor: Actor) -> list[EnterpriseSpell]:
        code = enterprise_code.strip().upper()
        return [spell for spell in self._spells(month, actor) if spell.enterprise_code == code]

    def _spells(self, month: Month, actor: Actor) -> list[EnterpriseSpell]:
        """Enterprises expected to file in the month that the actor may see, by district and code."""
        found = [
            spell
            for spell in self._ledger.enterprises()
            if (spell.from_month_start_date is None or spell.from_month_start_date <= month.start_date)
            and (spell.to_month_start_date is None or spell.to_month_start_date >= month.start_date)
            and actor.may_see(spell.enterprise_code, spell.district_code)
        ]
        return sorted(found, key=lambda spell: (spell.district_code, spell.enterprise_code))

    def _history(self, spells: Sequence[EnterpriseSpell], month: Month) -> dict[str, list[Submission]]:
        """Accepted returns of a year back to the month itself, by enterprise; of January on to February, in which a
        joint return of both is counted."""
        found: dict[str, list[Submission]] = defaultdict(list)
        last = month.plus(1) if month.month == 1 else month
        for one in self._ledger.history(
            [spell.enterprise_code for spell in spells], month.plus(-_HISTORY_MONTHS), last
        ):
            found[one.enterprise_code].append(one)
        return found

    def _rows_of(self, sources: Iterable[Mapping[str, _Source]]) -> _Read:
        """The cells of the returns that anything is carried from."""
        wanted = {
            source.submission.submission_id: source.submission.lines_file
            for own in sources
            for source in own.values()
        }
        table = self._lines.read(wanted)
        read = _Read()
        columns = (
            table[name].to_pylist()
            for name in (
                "submission_id",
                "form_code",
                "section",
                "sheet",
                "row_number",
                "field",
                "code",
                "day",
            )
        )
        for submission_id, form_code, section, sheet, row, name, code, day in zip(*columns, strict=True):
            read.take(submission_id, form_code, section, (sheet, row), name, code, day)
        return read


class _Read:
    """Codes and days of the returns that are carried over, by submission and form."""

    def __init__(self) -> None:
        self.units: dict[tuple[str, str], str] = {}
        self._rows: dict[tuple[str, str], dict[tuple[str, int], dict[str, str | date]]] = defaultdict(dict)

    def take(
        self,
        submission_id: str,
        form_code: str,
        section: str,
        place: tuple[str, int],
        name: str,
        code: str | None,
        day: date | None,
    ) -> None:
        if code is None:
            return
        key = (submission_id, form_code)
        if section == "head":
            if name == "unit":
                self.units[key] = code
        elif section == "row":
            # a day for a date; of a period only its code says which it is
            value: str | date = day if day is not None and code == day.isoformat() else code
            self._rows[key].setdefault(place, {})[name] = value

    def rows(self, source: _Source, form_code: str) -> list[dict[str, str | date]]:
        """The rows of one form in the order of the file; of a form of label and value, one value a row."""
        found = self._rows.get((source.submission.submission_id, form_code), {})
        return [found[place] for place in sorted(found)]

    def values(self, source: _Source, form_code: str) -> dict[str, str | date]:
        """A form of label and value: all its values."""
        merged: dict[str, str | date] = {}
        for row in self.rows(source, form_code):
            merged.update(row)
        return merged


def _until(returns: Sequence[Submission], month: Month) -> list[Submission]:
    """Those that are counted in the month or before it."""
    return [
        one
        for one in returns
        if one.month_start_date is not None and one.month_start_date <= month.start_date
    ]


def _period_due(returns: Sequence[Submission], month: Month) -> Period:
    """The period for which an enterprise may file now: both months where a joint return of January and February is
    accepted (rule H7e takes no other), unless both have been accepted singly after it; else the month."""
    alone = Period(month, "month")
    if month.month > 2:
        return alone
    joint = Period(Month(month.year, 1), JOINT)
    standing = [one for one in returns if one.period == str(joint)]
    singles = {
        one.period
        for one in returns
        if one.period in {str(each) for each in joint.months}
        and all(one.sequence > each.sequence for each in standing)
    }
    return joint if standing and len(singles) < len(joint.months) else alone


def _is_revision(returns: Sequence[Submission], layouts: Sequence[FormLayout], period: Period) -> bool:
    """Whether an accepted return is of the same period and kind, so that the one to be filled in corrects it.

    With a form of the month it is the month's return; without one it is of these forms and the period of their own.
    """
    if any(layout.own_period_kind is None for layout in layouts):
        return any(one.period == str(period) for one in returns)
    own_periods = {
        str(Period.latest_over(layout.own_period_kind, period.last))
        for layout in layouts
        if layout.own_period_kind is not None
    }
    form_codes = {layout.form_code for layout in layouts}
    return any(
        one.period in own_periods
        and set(one.form_codes) == form_codes
        and one.month_start_date == period.last.start_date
        for one in returns
    )


def _sources(returns: Sequence[Submission], month: Month) -> dict[str, _Source]:
    """For each form the accepted return that it is carried over from: of the month itself where this is a revision,
    else of last month, else of the same month last year, else the latest one. A zero return has nothing to carry."""
    preferred = [month, month.previous, month.a_year_earlier]

    def rank(one: tuple[Month, Submission]) -> tuple[int, int]:
        at = one[0]
        place = preferred.index(at) if at in preferred else len(preferred)
        return place, -(at.year * 12 + at.month)

    dated = [(Month.of(one.month_start_date), one) for one in returns if one.month_start_date is not None]
    found: dict[str, _Source] = {}
    for at, one in sorted(dated, key=rank):
        if one.is_zero_return:
            continue
        for form_code in one.form_codes:
            found.setdefault(form_code, _Source(one, at))
    return found


def _applying(
    due: Sequence[FormLayout], own: Mapping[str, _Source], read: _Read, registration: FormLayout | None
) -> tuple[FormLayout, ...]:
    """Of the forms that are due those that the enterprise files: what every enterprise files, what it filed within a
    year, what its registration says it does, and for an enterprise of which nothing is known all of them. The
    registration also when there has been none. What is filed on an event and marked by no flag goes to everybody:
    nobody can know before the first contract who will need it."""
    flags: Mapping[str, str | date] = {}
    if _REGISTRATION in own:
        flags = read.values(own[_REGISTRATION], _REGISTRATION)
    found = []
    for layout in due:
        guidance = guidance_of(layout.form_code)
        is_filed = layout.form_code in own
        is_flagged = bool(guidance.applies_if) and flags.get(guidance.applies_if) == "true"
        if not own or is_filed or is_flagged or not guidance.applies_if:
            found.append(layout)
    if registration is not None and _REGISTRATION not in own and registration not in found:
        found.insert(0, registration)
    return tuple(found)


def _carried(layouts: Sequence[FormLayout], own: Mapping[str, _Source], read: _Read) -> dict[str, Carried]:
    """Codes of rows and values of the registration, without any amount."""
    carried: dict[str, Carried] = {}
    for layout in layouts:
        source = own.get(layout.form_code)
        if source is None:
            continue
        guidance = guidance_of(layout.form_code)
        unit_code = read.units.get((source.submission.submission_id, layout.form_code), "")
        if layout.pairs:
            values = read.values(source, layout.form_code)
            kept = {
                one.name: values[one.name]
                for one in layout.pairs
                if one.name in values and not one.is_measure and guidance.is_carried(one, layout)
            }
            carried[layout.form_code] = Carried(unit_code, values=kept)
        else:
            rows = _carried_rows(layout, guidance, read.rows(source, layout.form_code))
            carried[layout.form_code] = Carried(unit_code, rows)
    return carried


def _carried_rows(
    layout: FormLayout, guidance: Guidance, rows: Sequence[Mapping[str, str | date]]
) -> list[dict[str, Any]]:
    """Rows by their codes, each once; contracts that are over and items that sum up others are left out."""
    fields = [one for one in layout.columns if guidance.is_carried(one, layout) and not one.is_measure]
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        if (
            guidance.dropped_if is not None
            and str(row.get(guidance.dropped_if[0], "")) in guidance.dropped_if[1]
        ):
            continue
        kept = {one.name: row[one.name] for one in fields if one.name in row}
        if kept:
            found.setdefault(tuple(kept.get(name) for name in layout.key_fields), kept)
    return _without_sums(layout, list(found.values()))


def _without_sums(layout: FormLayout, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without items that stand above other items of the same partner: each amount is filed once."""
    items = [one.name for one in layout.columns if one.code_list == "item" and one.name in layout.key_fields]
    if not items:
        return rows
    item = items[0]

    def others(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(row.get(name) for name in layout.key_fields if name != item)

    above = {(parent, others(row)) for row in rows for parent in _ancestors(row.get(item))}
    return [row for row in rows if (row.get(item), others(row)) not in above]


def _ancestors(item_code: str | None) -> tuple[str, ...]:
    try:
        return codes.ancestors(item_code) if item_code else ()
    except codes.UnknownCode:  # an item that has left the classification since
        return ()
