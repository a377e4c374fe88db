"""`check` and `submit`: what they say of files, with which exit code, and what they leave behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from computed_city import servtrade
from conftest import CityFiles

from pipelines.cli.exits import Exit

Run = Callable[..., Result]


def objects(result: Result) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(result.stdout)
    assert content["schema_version"] == 1
    return content


def everything_below(folder: Path) -> dict[str, bytes]:
    """Files of a data folder but for the ledger's own working files."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("ledger.sqlite-")
    }


@pytest.mark.parametrize(
    ("which", "code", "verdict"),
    [
        ("accepted", Exit.OK, "accepted"),
        ("queried", Exit.DATA_ERRORS, "queries"),
        ("rejected", Exit.DATA_ERRORS, "rejected"),
        ("unreadable", Exit.REFUSED, "unreadable"),
    ],
)
def test_the_exit_code_of_check_tells_the_verdict(
    office: Path, files: CityFiles, run: Run, which: str, code: Exit, verdict: str
) -> None:
    result = run("check", str(getattr(files, which)), "--json")
    assert result.exit_code == code
    assert objects(result)["verdict"] == verdict


def test_the_gravest_file_of_a_batch_decides(office: Path, files: CityFiles, run: Run) -> None:
    assert run("check", str(files.accepted), str(files.queried)).exit_code == Exit.DATA_ERRORS
    assert run("check", str(files.queried), str(files.unreadable)).exit_code == Exit.REFUSED
    assert run("check", str(files.unreadable), str(files.accepted)).exit_code == Exit.REFUSED


def test_check_writes_nothing(office: Path, files: CityFiles, run: Run) -> None:
    before = everything_below(office)
    run("check", str(files.accepted), str(files.rejected), str(files.unreadable))
    assert everything_below(office) == before


def test_one_file_gives_one_object_as_the_design_promises(office: Path, files: CityFiles, run: Run) -> None:
    content = objects(run("check", str(files.rejected), "--json"))
    assert content["file"] == files.rejected.name
    assert content["reference_month"] == "2019-02"
    assert content["enterprise_code"] == "91420100000000019Q"
    assert content["lines"] > 0
    assert len(content["sha256"]) == 64
    [finding] = [one for one in content["findings"] if one["rule"] == "H5"]
    assert finding["severity"] == "critical"
    assert (finding["sheet"], finding["cell"]) == ("服务进出口", "D17")
    assert set(finding["message"]) == {"zh", "en"}
    assert finding["given"]
    assert finding["expected"]
    assert "lines_detail" not in content


def test_lines_add_what_was_read_amount_by_amount(office: Path, files: CityFiles, run: Run) -> None:
    content = objects(run("check", str(files.accepted), "--lines", "--json"))
    assert content["lines_detail"]
    assert set(content["lines_detail"][0]) >= {
        "form",
        "item_code",
        "partner_code",
        "flow",
        "amount",
        "unit",
        "currency",
        "amount_usd",
        "remote_share_pct",
        "sheet",
        "cell",
    }


def test_several_files_give_one_object_with_a_summary(office: Path, files: CityFiles, run: Run) -> None:
    content = objects(run("check", str(files.accepted), str(files.unreadable), "--json"))
    assert [one["verdict"] for one in content["files"]] == ["accepted", "unreadable"]
    assert content["summary"]["total"] == 2
    assert content["summary"]["unreadable"] == 1


def test_a_person_reads_cell_and_remedy_in_the_language_chosen(
    office: Path, files: CityFiles, run: Run
) -> None:
    chinese = run("check", str(files.rejected)).stdout
    english = run("check", str(files.rejected), "--lang", "en").stdout
    assert "第 17 行 D 列" in chinese
    assert "〔H5〕" in chinese
    assert "有错误" in chinese
    assert "row 17, column D" in english
    assert "rejected" in english
    assert "有错误" not in english


def test_the_language_may_stand_before_the_command_too(office: Path, files: CityFiles, run: Run) -> None:
    assert "rejected" in run("--lang", "en", "check", str(files.rejected)).stdout


def test_a_file_may_come_from_standard_input(office: Path, files: CityFiles, run: Run) -> None:
    result = run("check", "-", "--json", input=files.accepted.read_bytes())
    assert result.exit_code == Exit.OK
    assert objects(result)["file"] == "-"


def test_submit_records_and_status_shows_it(office: Path, files: CityFiles, run: Run) -> None:
    assert run("submit", str(files.accepted)).exit_code == Exit.OK
    [month] = objects(run("status", "--json"))["months"]
    assert month["month"] == "2019-03"
    assert month["accepted"] == 1
    assert month["not_filed"] == month["expected"] - 1


def test_the_same_file_twice_is_one_submission(office: Path, files: CityFiles, run: Run) -> None:
    run("submit", str(files.accepted))
    result = run("submit", str(files.accepted), "--json")
    assert result.exit_code == Exit.OK
    assert objects(result)["summary"]["duplicates"] == 1
    [month] = objects(run("status", "--json"))["months"]
    assert month["versions"] == 1


def test_a_folder_is_taken_in_whole_and_what_excel_leaves_beside_it_is_not(
    office: Path, files: CityFiles, run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "收到" / "三月"
    folder.mkdir(parents=True)
    (folder / "甲.xlsx").write_bytes(files.accepted.read_bytes())
    (folder / "~$甲.xlsx").write_bytes(b"lock")
    (folder / "说明.txt").write_text("请查收", encoding="utf-8")
    content = objects(run("submit", str(tmp_path / "收到"), "--json"))
    assert [one["file"] for one in content["files"]] == ["甲.xlsx"]


def test_one_bad_file_leaves_the_others_of_its_batch_alone(office: Path, files: CityFiles, run: Run) -> None:
    result = run("submit", str(files.unreadable), str(files.accepted), "--json")
    assert result.exit_code == Exit.REFUSED
    assert [one["verdict"] for one in objects(result)["files"]] == ["unreadable", "accepted"]


def test_an_empty_folder_is_a_mistake_in_the_command(office: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "空").mkdir()
    result = run("submit", str(tmp_path / "空"))
    assert result.exit_code == Exit.USAGE
    assert "没有可收取的文件" in result.stderr


def test_a_file_that_is_not_there_is_a_mistake_in_the_command(office: Path, run: Run) -> None:
    assert run("check", "nowhere.xlsx").exit_code == Exit.USAGE


def test_queries_are_accepted_by_confirming_them_with_a_reason(
    office: Path, files: CityFiles, run: Run
) -> None:
    submitted = objects(run("submit", str(files.queried), "--json"))["files"][0]
    assert submitted["verdict"] == "queries"
    beginning = submitted["submission_id"][:8]
    assert run("confirm", beginning, "--reason", "好").exit_code == Exit.USAGE
    confirmed = run("confirm", beginning, "--reason", "已电话核实，国别确实不详", "--by", "李", "--json")
    assert confirmed.exit_code == Exit.OK
    assert objects(confirmed)["status"] == "accepted"
    [month] = objects(run("status", "--json"))["months"]
    assert (month["accepted"], month["queries"]) == (1, 0)


def test_errors_cannot_be_confirmed_away(office: Path, files: CityFiles, run: Run) -> None:
    submitted = objects(run("submit", str(files.rejected), "--json"))["files"][0]
    result = run("confirm", submitted["submission_id"], "--reason", "我们认为没有问题", "--by", "李")
    assert result.exit_code == Exit.CONFLICT
    assert "必须更正" in result.stderr


def test_confirming_what_was_never_filed_is_a_mistake_in_the_command(office: Path, run: Run) -> None:
    result = run("confirm", "0123456789", "--reason", "已电话核实")
    assert result.exit_code == Exit.USAGE
    assert "没有编号" in result.stderr


def test_the_inbox_is_emptied_and_answered(office: Path, files: CityFiles, run: Run) -> None:
    inbox = office / "inbox"
    inbox.mkdir(exist_ok=True)
    assert objects(run("inbox", "receive", "--json"))["summary"]["total"] == 0
    (inbox / "报表.xlsx").write_bytes(files.accepted.read_bytes())
    result = run("inbox", "receive", "--json")
    assert result.exit_code == Exit.OK
    content = objects(result)
    assert content["summary"]["accepted"] == 1
    assert content["left_in_inbox"] == 0
    assert len(list(inbox.rglob("*.审核结果.txt"))) == 1


def test_results_are_on_stdout_and_everything_else_on_stderr(office: Path, files: CityFiles) -> None:
    done = servtrade(office, "check", str(files.accepted), str(files.queried), "--lang", "en")
    assert "Files 2: accepted 1, with queries 1" in done.stderr
    assert "Files 2" not in done.stdout
    quiet = servtrade(office, "check", str(files.accepted), str(files.queried), "--lang", "en", "--quiet")
    assert quiet.stdout == done.stdout
    assert quiet.stderr == ""
