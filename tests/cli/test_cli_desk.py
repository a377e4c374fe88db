"""The desk on the command line: explain, confirm, return, remind, months and register events; and that the board
counts as table 9 does."""

from __future__ import annotations

import csv
import json
import os
import pwd
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import openpyxl
import pytest
from click.testing import Result
from computed_city import servtrade

from pipelines.cli import stores
from pipelines.cli.commands import register, remind
from pipelines.cli.exits import Exit
from pipelines.ledger import EnterpriseClass, EventKind, Ledger, open_ledger
from pipelines.ledger.actors import Actor, Role
from pipelines.ledger.board import BoardCounts, MonthBoard
from pipelines.ledger.months import MonthActKind
from pipelines.ledger.reminders import ReminderKind
from pipelines.periods import Month

if TYPE_CHECKING:
    from conftest import CityFiles

Run = Callable[..., Result]

NOT_FILED = "9142010000000006XU"  # in January 2019, as the city's seed has it


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == Exit.OK, result.output
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def test_the_choices_are_those_of_the_ledger() -> None:
    assert set(remind.KINDS) == set(ReminderKind)
    assert set(register.EVENT_KINDS) == set(EventKind)
    assert set(register.CLASSES) == set(EnterpriseClass)


# -- explain, confirm, return -----------------------------------------------------------------------------------


@pytest.fixture
def queried(office: Path, files: CityFiles, run: Run) -> str:
    """Id of a return with open queries."""
    [answer] = json.loads(run("submit", str(files.queried), "--by", "e01", "--json").stdout)["files"]
    assert answer["verdict"] == "queries"
    return str(answer["submission_id"])


def test_queries_are_listed_explained_and_reviewed(queried: str, run: Run) -> None:
    listed = told(run("explain", queried, "--json"))["findings"]
    numbers = [str(finding["number"]) for finding in listed if finding["is_open"]]
    assert numbers
    answers = [part for number in numbers for part in ("--answer", number, "合同一次性付款，已核对")]
    own = run("explain", queried, *answers, "--by", "e01")  # who filed it
    assert (own.exit_code, "代为报送" in own.stderr) == (Exit.CONFLICT, True)
    done = told(run("explain", queried[:10], *answers, "--by", "zhao", "--json"))
    assert (done["status"], done["counts"]) == ("accepted", True)
    for who in ("e01", "zhao"):
        assert run("explain", queried, "--accept", "--by", who).exit_code == Exit.CONFLICT
    refused = told(run("explain", queried, "--refuse", "请附合同首页", "--by", "wang", "--json"))
    assert refused["status"] == "queries"
    assert "请附合同首页" in run("explain", queried).stdout
    same = run("explain", queried, "--all", "合同一次性付款，已核对", "--by", "zhao")
    assert (same.exit_code, "此前未被采纳" in same.stderr) == (Exit.CONFLICT, True)
    waiting = run("explain", queried, "--all", "合同首页已传真", "--by", "zhao")
    assert (waiting.exit_code, "待审核人员采纳" in waiting.stderr) == (Exit.OK, True)
    assert told(run("explain", queried, "--accept", "--by", "wang", "--json"))["status"] == "accepted"


def test_an_explanation_that_says_nothing_is_refused(queried: str, run: Run) -> None:
    result = run("explain", queried, "--all", "好", "--by", "zhao")
    assert result.exit_code == Exit.CONFLICT
    assert "5 至 1000" in result.stderr
    assert run("explain", queried, "--accept", "--refuse", "请附合同首页").exit_code == Exit.USAGE


def test_nobody_confirms_at_the_machine_what_they_filed_there(
    office: Path, files: CityFiles, run: Run
) -> None:
    [answer] = json.loads(run("submit", str(files.queried), "--json").stdout)["files"]
    result = run("confirm", answer["submission_id"], "--reason", "已电话核实，国别确实不详")
    assert result.exit_code == Exit.CONFLICT
    assert "另一人" in result.stderr


def test_a_return_is_sent_back_with_its_findings_and_taken_back(queried: str, run: Run) -> None:
    done = told(
        run("return", queried, "--with-findings", "--reason", "请于本周内重报", "--by", "wang", "--json")
    )
    assert (done["status"], done["is_returned"]) == ("rejected", True)
    again = run("return", queried, "--reason", "请于本周内重报", "--by", "wang")
    assert again.exit_code == Exit.CONFLICT
    assert (
        told(run("return", queried, "--withdraw", "--reason", "企业已来电说明", "--json"))["status"]
        == "queries"
    )


def test_the_reason_of_a_sending_back_names_rules_and_cells(queried: str, office: Path, run: Run) -> None:
    run("return", queried, "--with-findings", "--reason", "请于本周内重报", "--by", "wang")
    with open_ledger(f"sqlite:///{office / 'ledger.sqlite'}") as ledger:
        view = ledger.reviews.view(queried, Actor.operator("li"))
    lines = view.returned_for.splitlines()
    assert lines[0] == "请更正或说明以下问题后重新报送："
    assert lines[-1] == "请于本周内重报"
    assert all(any(query.finding.rule in line for line in lines) for query in view.queries if query.is_open)


# -- remind, register ---------------------------------------------------------------------------------------------


def test_reminders_are_listed_and_recorded(office: Path, run: Run) -> None:
    before = told(run("remind", "2019-01", "--json"))
    assert before["counts"][0]["not_filed_count"] == len(before["enterprises"])
    assert run("remind", "2019-01", NOT_FILED).exit_code == Exit.CONFLICT  # with whom?
    assert run("remind", "2019-01", "E99", "--to", "张会计").exit_code == Exit.USAGE
    assert run("remind", "2019-01", NOT_FILED, "--to", "张会计", "--note", "答应明天报").exit_code == Exit.OK
    after = told(run("remind", "2019-01", "--json"))
    [row] = [row for row in after["enterprises"] if row["enterprise_code"] == NOT_FILED]
    assert row["reminder_count"] == 1
    assert NOT_FILED in run("remind", "2019-01").stdout


def test_who_filed_after_the_closing_is_marked_in_the_list(office: Path, files: CityFiles, run: Run) -> None:
    month = Month.parse(files.accepted.parent.name)
    with open_ledger(f"sqlite:///{office / 'ledger.sqlite'}") as ledger:
        ledger.months.propose(month, MonthActKind.CLOSE, "收表期已过，可以结账", Actor.operator("li"))
        ledger.months.confirm(month, Actor.operator("wang"))
    [late] = told(run("submit", str(files.accepted), "--by", "e01", "--json"))["files"]
    rows = told(run("remind", str(month), "--json"))["enterprises"]
    marked = [row for row in rows if row["has_late_revision"]]
    assert [row["enterprise_code"] for row in marked] == [late["enterprise_code"]]
    lines = run("remind", str(month)).stdout.splitlines()
    [line] = [line for line in lines if late["enterprise_code"] in line]
    assert "未报（结账后已有报送）" in line
    assert sum("结账后已有报送" in line for line in lines) == 1


def test_life_events_are_recorded_listed_and_voided(office: Path, run: Run) -> None:
    code = NOT_FILED
    recorded = told(
        run("register", "event", "left", code, "--month", "2019-03", "--reason", "注销", "--json")
    )
    listed = told(run("register", "list", "--month", "2019-03", "--json"))["enterprises"]
    assert code not in {one["enterprise_code"] for one in listed}
    void = told(run("register", "void", str(recorded["number"]), "--reason", "记错了", "--json"))
    assert void["is_void"]
    events = told(run("register", "events", code, "--json"))["events"]
    assert [(one["event"], one["is_void"]) for one in events] == [("entered", False), ("left", True)]
    assert "left" in run("register", "events", code).stdout
    again = run("register", "event", "entered", code, "--month", "2019-03", "--district", "江汉区")
    assert again.exit_code == Exit.CONFLICT
    assert run("register", "event", "left", "123", "--month", "2019-03").exit_code == Exit.USAGE


@pytest.mark.parametrize(
    ("code", "options", "says"),
    [
        ("A/B", {}, "不是统一社会信用代码"),
        ("913301007996550580", {}, "末位应为 B"),
        ("91330100799655058B", {"--district": "火星区"}, "所在区“火星区”"),
        ("91330100799655058B", {"--industry": "垃圾"}, "行业代码“垃圾”"),
    ],
)
def test_codes_are_refused_on_the_command_line_as_in_the_portal(
    office: Path, run: Run, code: str, options: dict[str, str], says: str
) -> None:
    given = {"--month": "2019-03", "--name": "新公司", "--district": "江汉区"} | options
    words = [word for pair in given.items() for word in pair]
    result = run("register", "event", "entered", code, *words)
    assert (result.exit_code, says in result.stderr) == (Exit.USAGE, True), result.stderr


def test_an_import_names_the_row_that_leaves_a_return_behind(
    office: Path, files: CityFiles, run: Run, tmp_path: Path
) -> None:
    [answer] = json.loads(run("submit", str(files.queried), "--by", "e01", "--json").stdout)["files"]
    assert (
        run("confirm", answer["submission_id"], "--reason", "已与企业核实无误", "--by", "li").exit_code == 0
    )
    code = answer["enterprise_code"]
    [own] = [
        one
        for one in told(run("register", "list", "--json"))["enterprises"]
        if one["enterprise_code"] == code
    ]
    lines = [
        "enterprise_code,enterprise_name,district_code,from_month,to_month",
        f"{code},{own['enterprise_name']},{own['district_code']},2015-01,2015-12",
    ]
    (tmp_path / "r.csv").write_text("\n".join(lines), encoding="utf-8")
    result = run("register", "import", str(tmp_path / "r.csv"))
    assert result.exit_code == Exit.DATA_ERRORS
    assert "r.csv:2:" in result.stderr
    assert "的报表已通过" in result.stderr


# -- months ---------------------------------------------------------------------------------------------------------


def test_a_month_is_closed_by_two_people_and_shown(office: Path, run: Run) -> None:
    proposed = run("month", "close", "2019-01", "--reason", "收表期已过，可以结账", "--by", "wang")
    assert proposed.exit_code == Exit.OK
    assert "servtrade month confirm 2019-01" in proposed.stderr
    assert run("month", "confirm", "2019-01", "--by", "wang").exit_code == Exit.CONFLICT
    assert told(run("month", "confirm", "2019-01", "--by", "li", "--json"))["state"] == "closed"
    [shown] = told(run("month", "show", "2019-01", "--json"))["months"]
    assert (shown["state"], shown["acts"][0]["decided_by"]) == ("closed", "li (cli:li)")
    assert "已结账" in run("month", "show", "2019-01").stdout
    assert run("month", "close", "2019-01", "--reason", "收表期已过，可以结账").exit_code == Exit.CONFLICT
    assert (
        run("month", "reopen", "2019-01", "--reason", "有企业更正大额合同", "--by", "li").exit_code == Exit.OK
    )
    assert run("month", "decline", "2019-01", "--reason", "下月一并修订", "--by", "wang").exit_code == Exit.OK


def test_one_user_of_the_machine_is_one_person_whatever_name_is_given(
    office: Path, files: CityFiles, run: Run
) -> None:
    assert (
        run(
            "month", "close", "2019-01", "--reason", "收表期已过，可以结账", "--by", "wang", user="root"
        ).exit_code
        == 0
    )
    for named in ("li", "ＬＩ", "wang (cli:li)", "li\u200b"):
        refused = run("month", "confirm", "2019-01", "--by", named, user="root")
        assert refused.exit_code == Exit.CONFLICT, named
    assert run("month", "confirm", "2019-01", user="ROOT").exit_code == Exit.CONFLICT
    assert run("month", "confirm", "2019-01", "--by", "ｗａｎｇ", user="zhao").exit_code == Exit.CONFLICT
    assert run("month", "confirm", "2019-01", "--by", "li", user="zhao").exit_code == Exit.OK
    [filed] = json.loads(run("submit", str(files.queried), "--by", "e01", "--json", user="root").stdout)[
        "files"
    ]
    own = run("confirm", filed["submission_id"], "--reason", "已与企业核实无误", "--by", "li", user="root")
    assert own.exit_code == Exit.CONFLICT


def test_who_is_at_the_keyboard_is_not_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    before = stores.person()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody-else")
    assert stores.person() == before


def test_who_logged_in_stays_who_it_is_behind_sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "loginuid"
    monkeypatch.setattr(stores, "_LOGIN_USER", kept)
    for content, expected in (
        (str(pwd.getpwnam("nobody").pw_uid), "nobody"),
        ("4294967295", pwd.getpwuid(os.getuid()).pw_name),
        ("", pwd.getpwuid(os.getuid()).pw_name),
        ("987654", "uid 987654"),
    ):
        kept.write_text(content, encoding="ascii")
        assert stores.person() == expected


def test_a_late_return_changes_no_table_of_a_closed_month_until_it_is_revised(
    copied_city: Path, tmp_path: Path
) -> None:
    def drafts() -> dict[str, bytes]:
        folder = copied_city / "drafts" / "2019-01"
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def run(*arguments: str) -> None:
        done = servtrade(copied_city, *arguments)
        assert done.returncode in (Exit.OK, Exit.DATA_ERRORS), done.stderr

    # The other pair of eyes is in the portal: whoever is at the keyboard here is one person by any name.
    li, ledger_url = Actor("li", frozenset({Role.ANALYST})), f"sqlite:///{copied_city / 'ledger.sqlite'}"

    def confirm_month() -> None:
        with open_ledger(ledger_url) as ledger:
            ledger.months.confirm(Month(2019, 1), li)

    before = drafts()
    run("month", "close", "2019-01", "--reason", "收表期已过，可以结账", "--by", "wang")
    confirm_month()
    late = _as_if_from(copied_city / "demo", NOT_FILED, tmp_path / "迟报.xlsx")
    done = servtrade(copied_city, "submit", str(late), "--json")
    [answer] = json.loads(done.stdout)["files"]
    assert answer["verdict"] != "unreadable"
    if answer["verdict"] == "queries":
        with open_ledger(ledger_url) as ledger:
            ledger.reviews.confirm(answer["submission_id"], "已与企业核实无误", li)
    rates = "表号：DM-3\n提供部门：国家外汇管理局湖北省分局\n报告期：2019年\n计量单位：元\n月份,货币,人民币汇率,外币单位数\n"
    (tmp_path / "汇率.csv").write_text(f"{rates}2019-01,USD,7.5,1\n", encoding="utf-8")
    run("submit", str(tmp_path / "汇率.csv"))
    run("run", "--month", "2019-01")
    assert drafts() == before
    run("rebuild")
    assert drafts() == before

    run("month", "reopen", "2019-01", "--reason", "一家企业补报", "--by", "wang")
    confirm_month()
    run("run", "--month", "2019-01")
    changed = {name for name, content in drafts().items() if content != before.get(name)}
    assert any(name.startswith("table_09") for name in changed)


def _as_if_from(demo: Path, enterprise_code: str, target: Path) -> Path:
    """A sound return of January, with another enterprise's code on every sheet."""
    blamed = {json.loads(line)["file"] for line in (demo / "truth.jsonl").read_text("utf-8").splitlines()}
    with (demo / "filings.csv").open(encoding="utf-8", newline="") as file:
        sound = next(
            row["path"]
            for row in csv.DictReader(file)
            if row["path"].startswith("returns/2019-01") and row["path"] not in blamed
        )
    book = openpyxl.load_workbook(demo / sound)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if (
                    isinstance(cell.value, str)
                    and cell.value.startswith("91420100")
                    and len(cell.value) == 18
                ):
                    cell.value = enterprise_code
    book.save(target)
    return target


# -- the board and table 9 --------------------------------------------------------------------------------------------


def test_the_board_counts_as_table_9_does(city: Path) -> None:
    with (
        open_ledger(f"sqlite:///{city / 'ledger.sqlite'}", is_read_only=True) as ledger,
        duckdb.connect(str(city / "warehouse.duckdb"), read_only=True) as warehouse,
    ):
        rows = warehouse.execute(
            "select month_start_date, district_code, expected_count, filed_count, accepted_count, queried_count, "
            "rejected_count, zero_return_count, late_count, not_filed_count from indicators.reporting"
        ).fetchall()
        boards: dict[date, MonthBoard] = {day: _board(ledger, Month.of(day)) for day, *_ in rows}
    assert len(boards) == 3
    for day, district, *counts in rows:
        board = boards[day]
        shown = [board.total] if district == "all" else board.districts
        [one] = [each for each in shown if each.district_code == (district or "")]
        assert _counts(one) == tuple(counts), (day, district)
    assert sum(board.total.queried_count for board in boards.values()) > 0
    assert sum(board.total.late_count for board in boards.values()) > 0


def _board(ledger: Ledger, month: Month) -> MonthBoard:
    return ledger.board.look(month, Actor.operator("li"), deadline_day=10, today=date(2019, 5, 1))


def _counts(one: BoardCounts) -> tuple[int, ...]:
    return (
        one.expected_count,
        one.filed_count,
        one.accepted_count,
        one.queried_count,
        one.returned_count,
        one.zero_return_count,
        one.late_count,
        one.not_filed_count,
    )
