"""`servtrade demo`: the whole job on a synthetic city, from workbooks as clerks make them to the official tables."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.commands.files import summary as file_summary
from pipelines.cli.commands.run import RunOutcome, compute
from pipelines.cli.commands.status import MonthStatus, all_months
from pipelines.cli.exits import CommandFailed, Exit
from pipelines.cli.options import common, json_option
from pipelines.cli.stores import ledger_of, prepare_dagster, prepare_folders
from pipelines.cli.terminal import Terminal
from pipelines.periods import Month

if TYPE_CHECKING:
    from pipelines.ledger import Ledger
    from pipelines.reception import FileResult
    from pipelines.settings import Settings

CHANNEL = "demo"
CITY_FOLDER = "demo"
_ABOUT_CITY = "city.json"


@dataclass(frozen=True, slots=True)
class Recall:
    """Planted errors against what the door found: by the rule that ought to notice, and at the very cell.

    `unjust` are files without any planted error that were not accepted.
    """

    planted: int
    found: int
    at_cell: int
    cells_planted: int
    unjust: int
    missed: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        return {
            "planted": self.planted,
            "found": self.found,
            "with_a_cell": self.cells_planted,
            "found_at_the_cell": self.at_cell,
            "clean_files_not_accepted": self.unjust,
            "missed_by_kind": self.missed,
        }


@dataclass
class Steps:
    """The steps of the demo as they go by, with their seconds."""

    terminal: Terminal
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, zh: str, en: str) -> Iterator[None]:
        """Say what is going on, and how long it took when it is done."""
        number = len(self.seconds) + 1
        self.terminal.note(f"[{number}/{STEP_COUNT}] {self.terminal.pick(zh, en)}")
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 2)
        self.terminal.note(f"      {self.seconds[name]:.1f} s")


STEP_COUNT = 4


@click.command()
@click.option(
    "--enterprises", type=click.IntRange(min=1), default=100, show_default=True, help="企业数 / enterprises"
)
@click.option("--months", type=click.IntRange(1, 60), default=24, show_default=True, help="月数 / months")
@click.option("--seed", type=int, default=2020, show_default=True, help="随机种子 / seed of the city")
@common
@json_option
@click.pass_obj
def demo(terminal: Terminal, enterprises: int, months: int, seed: int, as_json: bool) -> None:
    """用合成城市演示全部流程：生成报表、收取、审核、计算、出表。

    The whole job on a synthetic city: workbooks as clerks make them, with planted errors; register, filing in
    the order of arrival, every month computed, tables drafted; a summary at the end. All names are fictitious.
    Refuses a data folder that holds real returns.
    """
    settings = terminal.settings
    city = settings.data_dir / CITY_FOLDER
    _refuse_real_data(terminal, settings, city, enterprises=enterprises, months=months, seed=seed)
    started = time.monotonic()
    steps = Steps(terminal)
    with steps.step(
        "generate",
        f"生成样例城市：{enterprises} 家企业，{months} 个月",
        f"Generating the sample city: {enterprises} enterprises, {months} months",
    ):
        _generate(terminal, city, enterprises=enterprises, months=months, seed=seed)
    with steps.step("prepare", "建立数据文件夹，导入名录", "Making the data folder, importing the register"):
        prepare_folders(settings)
        prepare_dagster(settings)
        with ledger_of(settings) as ledger:
            _import_register(ledger, city)
    with (
        steps.step(
            "submit", "按报送顺序收取并审核", "Taking in and judging every file, in the order of arrival"
        ),
        ledger_of(settings) as ledger,
    ):
        results = _submit(terminal, settings, ledger, city)
    with ledger_of(settings) as ledger:
        span = ledger.filed_months(only_standing=True)
        every_month, _ = all_months(ledger)
    # A return of a month that nobody else files for was filed by mistake and is among the rejected files.
    filing = [one for one in every_month if one.month in span]
    if not span:
        raise CommandFailed(Exit.BUG, "样例城市没有任何报表。", "The sample city filed no return.")
    with steps.step(
        "compute",
        f"计算 {len(span)} 个月的统计表、检查和送审稿",
        f"Computing tables, checks and drafts of {len(span)} months",
    ):
        outcome = compute(terminal, settings, list(Month.span(span[0], span[-1])))
    seconds = time.monotonic() - started
    recall = recall_of(city, results)
    if as_json:
        terminal.json(
            {
                "data_dir": str(settings.data_dir),
                "seconds": round(seconds, 1),
                "steps": steps.seconds,
                "files": file_summary(list(results.values())),
                "filing": _totals(filing),
                "planted_errors": recall.as_json(),
                "held_months": [str(month) for month in outcome.held],
                "headline_targets": headline_targets(settings, span[-1]),
                "drafts": str(settings.drafts_dir),
            }
        )
        return
    _tell(terminal, settings, results, filing, recall, outcome, span[-1], seconds)


def _refuse_real_data(
    terminal: Terminal, settings: Settings, city: Path, *, enterprises: int, months: int, seed: int
) -> None:
    """The demo writes only into a folder that is empty or its own, of the same city."""
    about = city / _ABOUT_CITY
    wanted = {"enterprises": enterprises, "months": months, "seed": seed}
    if about.exists():
        found = json.loads(about.read_text(encoding="utf-8"))
        if found != wanted:
            raise terminal.fail(Exit.CONFLICT, "demo_other_city", path=settings.data_dir, **found)
    if (
        settings.ledger_url.startswith("sqlite:///")
        and not Path(settings.ledger_url.removeprefix("sqlite:///")).exists()
    ):
        return
    with ledger_of(settings) as ledger:
        real = sum(one.channel != CHANNEL for one in ledger.submissions())
        registered = len(ledger.enterprises())
    if real or (registered and not about.exists()):
        raise terminal.fail(
            Exit.CONFLICT, "demo_not_empty", path=settings.data_dir, count=real, registered=registered
        )


def _generate(terminal: Terminal, city: Path, *, enterprises: int, months: int, seed: int) -> None:
    from sample_data.city import generate

    city.mkdir(parents=True, exist_ok=True)
    # Written first: a demo that is killed here is taken up by the next one, not refused.
    about = {"enterprises": enterprises, "months": months, "seed": seed}
    (city / _ABOUT_CITY).write_text(json.dumps(about), encoding="utf-8")
    with terminal.progress(terminal.pick("企业", "enterprises"), enterprises) as advance:
        generate(
            city,
            enterprises=enterprises,
            months=months,
            seed=seed,
            progress=lambda done, _total: advance(done),
        )


def _import_register(ledger: Ledger, city: Path) -> None:
    from pipelines.cli.commands.register import register_rows

    rows, problems = register_rows(city / "register.csv")
    if problems:
        raise CommandFailed(Exit.BUG, problems[0], problems[0])
    ledger.import_register(rows, by=CHANNEL)


def _submit(terminal: Terminal, settings: Settings, ledger: Ledger, city: Path) -> dict[str, FileResult]:
    """Every file of filings.csv through the door, in its order and with its time of arrival; results by path."""
    from pipelines.reception import IncomingFile, Reception

    with (city / "filings.csv").open(encoding="utf-8-sig", newline="") as file:
        filings = list(csv.DictReader(file))
    files = [
        IncomingFile(
            name=Path(filing["path"]).name,
            path=city / filing["path"],
            received_at=datetime.fromisoformat(filing["received_at"]),
        )
        for filing in filings
    ]
    with (
        Reception(settings, ledger) as door,
        terminal.progress(terminal.word("submitting"), len(files)) as advance,
    ):
        results = door.submit(
            files,
            channel=CHANNEL,
            received_by=CHANNEL,
            progress=lambda so_far: advance(so_far.recorded_count),
        )
    return {filing["path"]: result for filing, result in zip(filings, results, strict=True)}


def recall_of(city: Path, results: dict[str, FileResult]) -> Recall:
    """Hold what the door found against truth.jsonl."""
    truths = [
        json.loads(line)
        for line in (city / "truth.jsonl").read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    planted = [truth for truth in truths if truth["is_error"] and truth["file"]]
    missed: Counter[str] = Counter()
    at_cell = with_cell = 0
    for truth in planted:
        findings = results[truth["file"]].findings
        of_rule = [finding for finding in findings if finding.rule == truth["rule"]]
        if not of_rule:
            missed[f"{truth['rule']} {truth['kind']}"] += 1
        if truth["cell"]:
            with_cell += 1
            at_cell += any(
                (finding.sheet, finding.cell) == (truth["sheet"], truth["cell"]) for finding in of_rule
            )
    blamed = {truth["file"] for truth in planted}
    unjust = sum(
        path not in blamed and result.verdict.value != "accepted" for path, result in results.items()
    )
    return Recall(
        len(planted), len(planted) - missed.total(), at_cell, with_cell, unjust, dict(missed.most_common())
    )


def headline_targets(settings: Settings, month: Month) -> list[dict[str, Any]]:
    """The headline rows of table 8 of a month, as printed; none when the month was never drafted."""
    from pipelines.publication.drafts import draft_months, read_table
    from pipelines.publication.tables import formatted

    if month not in draft_months(settings):
        return []
    printed = read_table(settings, "table_08", month)
    columns = {column.code: column for head in printed.heads for column in head.columns}
    rows = []
    for row in printed.rows:
        if not row.code.startswith("headline"):
            continue
        rows.append(
            {
                "label": {"zh": row.label.zh, "en": row.label.en},
                **{
                    code: {
                        "zh": formatted(row.cells[code], columns[code], "zh"),
                        "en": formatted(row.cells[code], columns[code], "en"),
                    }
                    for code in columns
                    if code in row.cells
                },
            }
        )
    return rows


def _totals(filing: list[MonthStatus]) -> dict[str, int]:
    return {
        "expected": sum(one.expected for one in filing),
        "filed": sum(one.filed for one in filing),
        "accepted": sum(one.accepted for one in filing),
        "queries": sum(one.queries for one in filing),
        "rejected": sum(one.rejected for one in filing),
        "zero_returns": sum(one.zero_returns for one in filing),
        "late": sum(one.late for one in filing),
        "not_filed": sum(len(one.not_filed) for one in filing),
    }


def _tell(
    terminal: Terminal,
    settings: Settings,
    results: dict[str, FileResult],
    filing: list[MonthStatus],
    recall: Recall,
    outcome: RunOutcome,
    last: Month,
    seconds: float,
) -> None:
    totals = _totals(filing)
    files = file_summary(list(results.values()))
    pick, say = terminal.pick, terminal.result
    say()
    say(pick(f"完成，共用 {seconds:.0f} 秒。", f"Done in {seconds:.0f} s."))
    say()
    say(
        pick(
            f"报送   应报 {totals['expected']} 份，已报 {totals['filed']}：通过 {totals['accepted']}，待核实 {totals['queries']}，"
            f"有错误 {totals['rejected']}；零报 {totals['zero_returns']}，迟报 {totals['late']}；未报 {totals['not_filed']}。",
            f"Returns  {totals['expected']} expected, {totals['filed']} filed: {totals['accepted']} accepted, "
            f"{totals['queries']} with queries, {totals['rejected']} rejected; {totals['zero_returns']} zero, "
            f"{totals['late']} late; {totals['not_filed']} not filed.",
        )
    )
    say(
        pick(
            f"文件   收到 {files['total']} 个，其中重复 {files['duplicates']}、拒收 {files['unreadable']}。",
            f"Files    {files['total']} received, {files['duplicates']} of them repeated, {files['unreadable']} refused.",
        )
    )
    say(
        pick(
            f"差错   预设 {recall.planted} 处，发现 {recall.found} 处，其中指到原单元格 {recall.at_cell}/{recall.cells_planted}；"
            f"无差错而未通过的文件 {recall.unjust} 个。",
            f"Errors   {recall.planted} planted, {recall.found} found, at the very cell {recall.at_cell} of "
            f"{recall.cells_planted}; {recall.unjust} files without a planted error were not accepted.",
        )
    )
    for kind, count in recall.missed.items():
        say(pick(f"         未发现：{kind} × {count}", f"         missed: {kind} x {count}"))
    if outcome.held:
        held = ", ".join(map(str, outcome.held))
        say(
            pick(
                f"挂起   {held}：整表检查未通过，未出表。", f"Held     {held}: a whole table failed a check."
            )
        )
    say()
    say(pick(f"{last} 的两项总目标：", f"The two headline targets, {last}:"))
    for row in headline_targets(settings, last):
        language = "zh" if terminal.language == "zh" else "en"
        cells = {code: text[language] for code, text in row.items()}
        say(
            pick(
                f"  {cells['label']}：{cells['value']}{cells['unit']}，目标 {cells['target_text']}{cells['unit']}（{cells['target_year']}年），"
                f"完成 {cells['achieved_pct']}%，{cells['status']}",
                f"  {cells['label']}: {cells['value']} {cells['unit']}, target {cells['target_text']} {cells['unit']} "
                f"({cells['target_year']}), {cells['achieved_pct']} % of it, {cells['status']}",
            )
        )
    say()
    say(pick("统计表（每月一册）：", "Tables, one workbook a month:"))
    say(f"  {settings.drafts_dir / str(last)}")
    say()
    say(pick("接下来可以输入：", "What to type next:"))
    data = "" if terminal.data is None else f" --data {settings.data_dir}"
    for command, zh, en in (
        (f"servtrade{data} status", "各月报送情况", "who has filed what"),
        (f"servtrade{data} table 2 --month {last}", "看一张表", "look at a table"),
        (f"servtrade{data} targets", "目标进度", "progress of the targets"),
        ("make dev", "Dagster 页面：分区、检查、血缘", "Dagster's pages: partitions, checks, lineage"),
    ):
        say(f"  {command:<46} # {pick(zh, en)}")
