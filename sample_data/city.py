"""Generate the synthetic city: register, workbooks in filing order, departmental tables, and the planted truth.

`generate` writes a folder; the command line is `python -m sample_data`. What a stage does is in its own module:
`enterprises`, `economy`, `plan`, `mistakes`, `returns`, `clerk`, `workbook`, `departments`.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from pipelines.periods import Month
from sample_data.clerk import habits_of, quirks_of
from sample_data.departments import BEIJING, department_files
from sample_data.economy import (
    Calibration,
    EnterpriseSeries,
    calibrate,
    trade_by_main_item,
    true_series,
)
from sample_data.enterprises import Enterprise, build_register
from sample_data.hostile import make_hostile
from sample_data.mistakes import KIND_BY_KEY, Kind, make_mistake, nudge
from sample_data.period_forms import PeriodRows, period_file, period_rows
from sample_data.plan import DEADLINE_DAY, Intent, plan_returns
from sample_data.returns import Return, true_return
from sample_data.technology_contracts import ContractMistake, contract_rows, mistaken_contract_rows
from sample_data.workbook import WrittenReturn, write_period_file, write_return

_SMALL_CITY = 240  # returns below which starting processes costs more than it saves


@dataclass(frozen=True, slots=True)
class Truth:
    """One line of truth.jsonl: what was planted where, which rule ought to notice, what ought to come of it.

    `file` is empty for a return that was never filed. `is_error` is false for what is unusual but right: late,
    zero, corrected, repeated or explained. `verdict` is what the file ought to get when filed in order; a file
    without a line here is clean and ought to be accepted.
    """

    file: str
    month: str
    enterprise_code: str
    kind: str
    rule: str
    sheet: str
    cell: str
    note: str
    is_error: bool
    verdict: str


@dataclass(frozen=True, slots=True)
class Filing:
    """One file as it reached the bureau."""

    path: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class CitySummary:
    """What was generated. The counts of returns are what the bureau ought to find when all files are in."""

    folder: str
    enterprise_count: int
    month_count: int
    expected_return_count: int
    return_file_count: int
    period_file_count: (
        int  # files that hold only a form of a year or half-year, and are the return of no month
    )
    department_file_count: int
    filed_count: int
    accepted_count: int
    queried_count: int
    rejected_count: int
    not_filed_count: int
    zero_return_count: int
    late_count: int
    planted_error_count: int
    corrected_error_count: int
    period_form_error_count: int
    duplicate_count: int
    service_trade_usd_100m_by_year: dict[int, float]


@dataclass(frozen=True, slots=True)
class _Job:
    """What a process needs to write one enterprise's files."""

    enterprise: Enterprise
    intents: tuple[Intent, ...]


@dataclass(frozen=True, slots=True)
class _Setting:
    folder: Path
    months: tuple[Month, ...]
    calibration: Calibration
    seed: int
    has_errors: bool


@dataclass(frozen=True, slots=True)
class _Outcome:
    filings: tuple[Filing, ...]
    truths: tuple[Truth, ...]
    usd_cents: dict[tuple[Month, str, str], int]  # true trade by month, flow and main item
    zero_return_count: int


def generate(
    folder: Path | str,
    enterprises: int = 100,
    first: str = "2019-01",
    months: int = 24,
    seed: int = 2020,
    progress: Callable[[int, int], None] | None = None,
    *,
    processes: int = 2,
    error_share: float = 0.088,
) -> CitySummary:
    """Write a city into `folder` (created; existing files of the same names are replaced).

    Writes register.csv, filings.csv (path, received_at, in the order of arrival), returns/<month>/*, period_forms/*
    (yearly and half-yearly forms that come in files of their own), departments/* and truth.jsonl. The same arguments give the same bytes of every file, whatever `processes` is. `error_share` is
    the part of the expected returns with a planted mistake; 0 gives a city without any, nor missing or late returns.
    `progress` is called with the enterprises done and their number. Raises ValueError for sizes below one.
    """
    if enterprises < 1 or months < 1 or processes < 1 or not 0 <= error_share <= 0.3:
        raise ValueError(
            "enterprises, months and processes must be at least 1, error_share between 0 and 0.3"
        )
    folder = Path(folder)
    span = tuple(Month.parse(first).plus(offset) for offset in range(months))
    for month in span:
        (folder / "returns" / str(month)).mkdir(parents=True, exist_ok=True)
    for part in ("departments", "period_forms"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    register = build_register(enterprises, span[0], months, seed)
    calibration = calibrate(register, span, seed)
    intents = plan_returns(register, span, seed, error_share)
    setting = _Setting(folder, span, calibration, seed, error_share > 0)
    of_enterprise: defaultdict[int, list[Intent]] = defaultdict(list)
    for intent in intents:
        of_enterprise[intent.enterprise_number].append(intent)
    jobs = [_Job(enterprise, tuple(of_enterprise[enterprise.number])) for enterprise in register]
    outcomes: list[_Outcome] = []
    for done, outcome in enumerate(_run(jobs, setting, processes), start=1):
        outcomes.append(outcome)
        if progress is not None:
            progress(done, len(jobs))
    usd_cents: Counter[tuple[Month, str, str]] = Counter()
    for outcome in outcomes:
        usd_cents.update(outcome.usd_cents)
    filings = [filing for outcome in outcomes for filing in outcome.filings]
    department_count = 0
    for table in department_files(span, usd_cents, seed):
        (folder / "departments" / table.name).write_bytes(table.content)
        filings.append(Filing(f"departments/{table.name}", table.received_at))
        department_count += 1
    filings.sort(key=lambda filing: (filing.received_at, filing.path))
    truths = [truth for outcome in outcomes for truth in outcome.truths]
    _write_register(folder / "register.csv", register, span[0])
    _write_filings(folder / "filings.csv", filings)
    _write_truth(folder / "truth.jsonl", truths)
    return _summary(
        folder, register, span, intents, outcomes, usd_cents, len(filings), department_count, truths
    )


# --- one enterprise -------------------------------------------------------------------------------------------

_process_setting: _Setting | None = None


def _start_process(setting: _Setting) -> None:
    global _process_setting  # noqa: PLW0603 - what every job of this process shares, set once when it starts
    _process_setting = setting


def _run(jobs: Sequence[_Job], setting: _Setting, processes: int) -> Iterator[_Outcome]:
    """Outcomes in the order of the jobs, from this process or from a pool of spawned ones."""
    if processes == 1 or sum(len(job.intents) for job in jobs) < _SMALL_CITY:
        for job in jobs:
            yield _write_enterprise(job, setting)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, initializer=_start_process, initargs=(setting,)) as pool:
        yield from pool.imap(_write_enterprise_in_process, jobs, chunksize=max(1, min(8, len(jobs) // 24)))


def _write_enterprise_in_process(job: _Job) -> _Outcome:
    if _process_setting is None:
        raise RuntimeError("the pool was started without its setting")
    return _write_enterprise(job, _process_setting)


def _write_enterprise(job: _Job, setting: _Setting) -> _Outcome:
    """Write all files of one enterprise and say what is true of them."""
    enterprise = job.enterprise
    series = true_series(enterprise, setting.months, setting.calibration, setting.seed)
    desk = _Desk(setting, series)
    for intent in job.intents:
        desk.handle(intent)
    zero_returns = sum(intent.is_filed and series.is_idle[intent.position] for intent in job.intents)
    return _Outcome(tuple(desk.filings), tuple(desk.truths), trade_by_main_item(series), zero_returns)


class _Desk:
    """The clerk's desk of one enterprise: fills, errs, files, corrects; keeps what was filed and what is true."""

    def __init__(self, setting: _Setting, series: EnterpriseSeries) -> None:
        self.setting = setting
        self.series = series
        self.enterprise = series.enterprise
        self.habits = habits_of(self.enterprise.number, setting.seed)
        self.filings: list[Filing] = []
        self.truths: list[Truth] = []

    def handle(self, intent: Intent) -> None:
        """File what the intent says for one month."""
        month = self.series.months[intent.position]
        rng = Random(f"{self.setting.seed}/file/{self.enterprise.number}/{month}")
        if not intent.is_filed:
            self._note("", month, "not_filed", "", ("", ""), "未报送", is_error=True, verdict="not_filed")
            return
        at = self._arrival(month, rng, is_late=intent.is_late)
        if intent.mistake:
            self._file_mistake(intent, month, at, rng)
            return
        filled = self._true_return(intent)
        self._file_period_form(intent, month, at)
        if intent.is_revised:
            draft = self._true_return(intent)
            spot = nudge(draft, self.series, intent.position, rng)
            path, written = self._file(draft, month, at, "", rng)
            self._note(path, month, "first_version", "", written.where(spot.form_code, spot.place), spot.note)
            filled.is_revision = True
            at += timedelta(days=rng.randint(2, 6), minutes=rng.randint(3, 90))
            path, written = self._file(filled, month, at, "（更正）", rng)
            self._note(path, month, "revision", "", written.where("FM-2", "head.is_revision"), "通过后又更正")
            return
        path, written = self._file(filled, month, at, "", rng)
        if intent.is_late:
            self._note(path, month, "late", "", ("", ""), f"迟于{DEADLINE_DAY}日")
        if filled.is_zero_return:
            self._note(path, month, "zero_return", "", written.where("FM-2", "head.is_zero_return"), "零报")
        self._note_explained(path, month, filled, written)
        if intent.is_duplicated:
            later = at + timedelta(days=rng.randint(0, 3), minutes=rng.randint(5, 200))
            copy = self._save(
                written.content, month, later, rng.choice((" - 副本", "(1)", "_再次发送")), ".xlsx"
            )
            self._note(copy, month, "exact_duplicate", "", ("", ""), f"与{path}逐字节相同")
        if intent.is_refiled_unmarked:
            other = self._true_return(intent)
            spot = nudge(other, self.series, intent.position, rng)
            later = at + timedelta(days=rng.randint(1, 4), minutes=rng.randint(5, 200))
            path, written = self._file(other, month, later, "-新", rng)
            place = written.where("FM-2", "head.is_revision")
            note = "已有通过的报表，改数重报而未标明更正"
            self._note(
                path, month, "unmarked_resubmission", "H7c", place, note, is_error=True, verdict="rejected"
            )

    def _true_return(self, intent: Intent) -> Return:
        """The month's return with what the enterprise puts on forms of a year or half-year."""
        filled = true_return(self.series, intent.position, self.setting.seed)
        filled.period_rows = (
            *self._contracts(intent),
            *period_rows(self.series, intent.position, self.setting.seed),
        )
        return filled

    def _contracts(self, intent: Intent) -> tuple[PeriodRows, ...]:
        """Technology contracts of the month, where there are any."""
        found = contract_rows(self.series, intent.position, self.setting.seed)
        return () if found is None else (found,)

    def _file_period_form(self, intent: Intent, month: Month, at: datetime) -> None:
        """A form of a year or half-year in a file of its own: with a mistake, and half of the time mended later."""
        found = period_file(self.series, intent.position, self.setting.seed)
        if found is None or not self.setting.has_errors:
            return
        right, wrong, mistake = found
        rng = Random(f"{self.setting.seed}/period file/{self.enterprise.number}/{month}")
        filled = true_return(self.series, intent.position, self.setting.seed)
        filled.period_rows = (wrong,)
        # In the month after, like the returns, but never before the enterprise's own.
        later = at + timedelta(minutes=rng.randint(20, 400))
        path, written = self._file_own(filled, month, later, "")
        where = written.where(wrong.form_code, f"row.0.{mistake.place}")
        self._note(
            path,
            month,
            mistake.key,
            mistake.rule,
            where,
            mistake.note,
            is_error=True,
            verdict=mistake.verdict,
        )
        if rng.random() < 0.5:
            filled.period_rows = (right,)
            filled.is_revision = True
            later += timedelta(days=rng.randint(1, 4), minutes=rng.randint(10, 300))
            path, written = self._file_own(filled, month, later, "（更正）")
            place = written.where(right.form_code, "head.is_revision")
            self._note(path, month, "period_form_correction", "", place, f"更正{mistake.key}")

    def _file_own(
        self, filled: Return, month: Month, at: datetime, variant: str
    ) -> tuple[str, WrittenReturn]:
        written = write_period_file(filled, self.habits)
        [form] = filled.period_rows
        path = f"period_forms/{month}_{form.form_code}_{self.enterprise.short_name}{variant}.xlsx"
        (self.setting.folder / path).write_bytes(written.content)
        self.filings.append(Filing(path, at))
        return path, written

    def _file_mistake(self, intent: Intent, month: Month, at: datetime, rng: Random) -> None:
        kind = KIND_BY_KEY[intent.mistake]
        wrong = true_return(self.series, intent.position, self.setting.seed)
        if kind.is_whole_file:
            written = self._written(wrong, month, "")
            content, suffix = make_hostile(kind.key, written.content)
            path = self._save(content, month, at, "", suffix)
            notes = {
                "corrupt_file": "文件不完整",
                "encrypted_file": "文件加了密码",
                "legacy_xls": "旧版xls格式",
                "macro_file": "文件含宏",
                "empty_file": "各表均为空白",
            }
            self._note(
                path,
                month,
                kind.key,
                kind.rule,
                ("", ""),
                notes[kind.key],
                is_error=True,
                verdict=kind.verdict,
            )
        else:
            spots = make_mistake(kind, wrong, self.series, intent.position, rng)
            mistaken = self._mistake_in_contracts(wrong, kind, intent)
            path, written = self._file(wrong, month, at, "", rng)
            if mistaken is not None:
                where = written.where("FM-6", f"row.0.{mistaken.place}")
                self._note(
                    path,
                    month,
                    mistaken.key,
                    mistaken.rule,
                    where,
                    mistaken.note,
                    is_error=True,
                    verdict=mistaken.verdict,
                )
            spot = spots[0]
            self._note(
                path,
                month,
                kind.key,
                spot.rule or kind.rule,
                written.where(spot.form_code, spot.place),
                spot.note,
                is_error=True,
                verdict=kind.verdict,
            )
        if intent.is_mended:
            right = true_return(self.series, intent.position, self.setting.seed)
            right.period_rows = self._contracts(intent)
            # Nobody must say 更正 where no return of the month stands yet; most clerks do.
            right.is_revision = kind.is_attributable and rng.random() < 0.8
            later = at + timedelta(days=rng.randint(1, 6), minutes=rng.randint(10, 300))
            path, written = self._file(right, month, later, "（更正）" if right.is_revision else "-重报", rng)
            note = f"更正{kind.key}"
            self._note(path, month, "correction", "", written.where("FM-2", "head.is_revision"), note)

    def _mistake_in_contracts(self, wrong: Return, kind: Kind, intent: Intent) -> ContractMistake | None:
        """The month's technology contracts on a return with a mistake of the rules: with one of the same gravity."""
        wrong.period_rows = self._contracts(intent)
        if not wrong.period_rows or wrong.is_zero_return or kind.rule[0] not in "HQ":
            return None
        found = mistaken_contract_rows(self.series, intent.position, self.setting.seed, kind.verdict)
        if found is None:
            return None
        rows, mistake = found
        wrong.period_rows = (rows,)
        return mistake

    def _note_explained(self, path: str, month: Month, filled: Return, written: WrittenReturn) -> None:
        for index, row in enumerate(filled.rows):
            if row.remark:
                where = written.where("FM-2", f"row.{index}.remark")
                self._note(path, month, "explained_change", "Q1", where, row.remark)

    def _written(self, filled: Return, month: Month, variant: str) -> WrittenReturn:
        quirks = quirks_of(self.enterprise.number, str(month), self.setting.seed)
        rng = Random(f"{self.setting.seed}/sheet/{self.enterprise.number}/{month}/{variant}")
        return write_return(filled, self.habits, quirks, rng)

    def _file(
        self, filled: Return, month: Month, at: datetime, variant: str, rng: Random
    ) -> tuple[str, WrittenReturn]:
        written = self._written(filled, month, variant)
        return self._save(written.content, month, at, variant, ".xlsx"), written

    def _save(self, content: bytes, month: Month, at: datetime, variant: str, suffix: str) -> str:
        name = f"{self.enterprise.short_name}_{month.year}年{month.month}月{variant}{suffix}"
        path = f"returns/{month}/{name}"
        (self.setting.folder / path).write_bytes(content)
        self.filings.append(Filing(path, at))
        return path

    def _arrival(self, month: Month, rng: Random, *, is_late: bool) -> datetime:
        """Most come in the last days before the deadline; late ones within the fortnight after it."""
        due = month.plus(1).start_date
        if is_late:
            day = DEADLINE_DAY + rng.randint(1, 13)
        else:
            day = rng.choices(range(1, DEADLINE_DAY + 1), (2, 3, 4, 5, 7, 9, 11, 14, 20, 18))[0]
        return datetime(
            due.year,
            due.month,
            day,
            rng.randint(8, 17),
            rng.randint(0, 59),
            rng.randint(0, 59),
            tzinfo=BEIJING,
        )

    def _note(
        self,
        path: str,
        month: Month,
        kind: str,
        rule: str,
        where: tuple[str, str],
        note: str,
        *,
        is_error: bool = False,
        verdict: str = "accepted",
    ) -> None:
        self.truths.append(
            Truth(
                path,
                str(month),
                self.enterprise.code,
                kind,
                rule,
                where[0],
                where[1],
                note,
                is_error,
                verdict,
            )
        )


# --- the city's own files -------------------------------------------------------------------------------------


def _write_register(path: Path, register: Sequence[Enterprise], first: Month) -> None:
    """register.csv, as `servtrade register import` reads it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            (
                "enterprise_code",
                "enterprise_name",
                "district_code",
                "industry_code",
                "from_month",
                "to_month",
                "contact",
                "phone",
            )
        )
        for enterprise in register:
            writer.writerow(
                (
                    enterprise.code,
                    enterprise.name,
                    enterprise.district_code,
                    enterprise.industry_code,
                    enterprise.first,
                    enterprise.last or "",
                    enterprise.contact,
                    enterprise.phone,
                )
            )


def _write_filings(path: Path, filings: Sequence[Filing]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("path", "received_at"))
        writer.writerows((filing.path, filing.received_at.isoformat()) for filing in filings)


def _write_truth(path: Path, truths: Sequence[Truth]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for truth in truths:
            file.write(json.dumps(asdict(truth), ensure_ascii=False) + "\n")


def _summary(
    folder: Path,
    register: Sequence[Enterprise],
    months: Sequence[Month],
    intents: Sequence[Intent],
    outcomes: Sequence[_Outcome],
    usd_cents: dict[tuple[Month, str, str], int],
    file_count: int,
    department_count: int,
    truths: Sequence[Truth],
) -> CitySummary:
    states: Counter[str] = Counter()
    for intent in intents:
        if not intent.is_filed:
            states["not_filed"] += 1
        elif intent.mistake and not intent.is_mended:
            states[KIND_BY_KEY[intent.mistake].verdict] += 1
        else:
            states["accepted"] += 1
    by_year: Counter[int] = Counter()
    for (month, _, _), cents in usd_cents.items():
        by_year[month.year] += cents
    kinds = Counter(truth.kind for truth in truths)
    period_paths = [
        filing.path
        for outcome in outcomes
        for filing in outcome.filings
        if filing.path.startswith("period_forms/")
    ]
    planted = sum(1 for intent in intents if intent.mistake)
    return CitySummary(
        folder=str(folder),
        enterprise_count=len(register),
        month_count=len(months),
        expected_return_count=len(intents),
        return_file_count=file_count - department_count - len(period_paths),
        period_file_count=len(period_paths),
        department_file_count=department_count,
        filed_count=len(intents) - states["not_filed"],
        accepted_count=states["accepted"],
        queried_count=states["queries"],
        rejected_count=states["rejected"],
        not_filed_count=states["not_filed"],
        zero_return_count=sum(outcome.zero_return_count for outcome in outcomes),
        late_count=kinds["late"],
        planted_error_count=planted + kinds["unmarked_resubmission"],
        corrected_error_count=sum(1 for intent in intents if intent.mistake and intent.is_mended),
        period_form_error_count=sum(
            truth.is_error for truth in truths if truth.file.startswith("period_forms/")
        ),
        duplicate_count=kinds["exact_duplicate"],
        service_trade_usd_100m_by_year={
            year: round(cents / 1e10, 2) for year, cents in sorted(by_year.items())
        },
    )
