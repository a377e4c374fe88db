"""Folders, ledgers and files that are not what they should be: nothing made by reading, a remedy, no password."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from conftest import CityFiles

from pipelines.cli.commands.confirm import MIN_REASON_LENGTH
from pipelines.cli.exits import Exit
from pipelines.findings import Wording
from pipelines.ledger import reviews
from pipelines.periods import Month
from pipelines.publication.holds import Hold, hold
from pipelines.settings import Settings

Run = Callable[..., Result]


@pytest.mark.parametrize(
    "command",
    [("status",), ("register", "list"), ("table", "1"), ("targets",), ("run", "--all"), ("rebuild",)],
)
def test_a_mistyped_data_folder_is_told_and_not_made(
    tmp_path: Path, run: Run, command: tuple[str, ...]
) -> None:
    result = run("--lang", "en", "--data", str(tmp_path / "typo"), *command)
    assert result.exit_code == Exit.ENVIRONMENT
    assert "no data folder here" in result.stderr
    assert "servtrade init" in result.stderr
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("command", ["init", "status"])
def test_a_folder_that_cannot_be_made_is_the_operators_to_mend(run: Run, command: str) -> None:
    assert run("--data", "/proc/no-such-folder", command).exit_code == Exit.ENVIRONMENT


def test_a_check_without_a_ledger_says_that_no_register_is_known(
    tmp_path: Path, files: CityFiles, run: Run
) -> None:
    result = run("--data", str(tmp_path / "typo"), "check", str(files.accepted), "--json")
    content = json.loads(result.stdout)
    [finding] = [one for one in content["findings"] if one["rule"] == "H1b"]
    assert finding["severity"] == "info"
    assert "no register" in finding["message"]["en"]
    assert not (tmp_path / "typo").exists()


def test_reading_needs_no_right_to_write(
    office: Path, files: CityFiles, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("submit", str(files.accepted))
    before = sorted(path.name for path in office.iterdir())
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)
    assert run("status").exit_code == Exit.OK
    assert run("check", str(files.accepted)).exit_code == Exit.OK
    assert sorted(path.name for path in office.iterdir()) == before


def test_a_database_that_is_out_of_reach_never_shows_the_password(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "SERVTRADE_LEDGER_URL",
        "postgresql+psycopg://clerk:s3cret@127.0.0.1:9/l?connect_timeout=2&password=s3cret",
    )
    for command in ("status", "doctor"):
        result = run("--data", str(tmp_path / "data"), command, "--json")
        assert result.exit_code == Exit.ENVIRONMENT
        assert "s3cret" not in result.output
        assert "连不上数据库服务器" in result.output
    faults = [one for one in json.loads(result.stdout)["checks"] if one["status"] == "missing"]
    assert [(one["name"], bool(one["remedy"])) for one in faults if one["name"] not in ("disk",)] == [
        ("ledger", True)
    ]


def test_a_pipe_a_device_and_a_link_are_refused_and_not_opened(
    office: Path, files: CityFiles, run: Run, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.xlsx")
    (tmp_path / "link.xlsx").symlink_to(files.accepted)
    for path in (tmp_path / "pipe.xlsx", tmp_path / "link.xlsx", Path("/dev/zero")):
        result = run("submit", str(path))
        assert result.exit_code == Exit.REFUSED
        assert "G09" in result.stdout


def test_what_is_left_out_of_a_folder_is_told_and_no_link_is_followed(
    office: Path, files: CityFiles, run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "收到"
    folder.mkdir()
    (folder / "甲.xlsx").write_bytes(files.accepted.read_bytes())
    (folder / "all.zip").write_bytes(b"PK")
    (folder / "报表").write_bytes(b"x")
    (folder / "outside").symlink_to(files.folder)
    (folder / "乙.xlsx").symlink_to(files.queried)
    os.mkfifo(folder / "丙.xlsx")
    result = run("submit", str(folder), "--json")
    content = json.loads(result.stdout)
    assert [one["file"] for one in content["files"]] == ["甲.xlsx"]
    assert len(content["left_out"]) == 5
    for name in ("all.zip", "报表", "outside", "乙.xlsx", "丙.xlsx"):
        assert name in result.stderr


def test_a_name_cannot_turn_or_move_what_the_terminal_shows(
    office: Path, files: CityFiles, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "a\u202excod\x1b[2J\nb.xlsx"
    path.write_bytes(files.accepted.read_bytes())
    for text in (run("check", str(path)).stdout, run("check", str(path), "--json").stdout):
        assert not {"\u202e", "\x1b"} & set(text)


def test_two_files_of_one_check_are_not_said_to_have_been_filed(
    office: Path, files: CityFiles, run: Run, tmp_path: Path
) -> None:
    import openpyxl

    twin, rival = tmp_path / "twin.xlsx", tmp_path / "rival.xlsx"
    twin.write_bytes(files.accepted.read_bytes())
    book = openpyxl.load_workbook(files.accepted)
    book.properties.title = "other bytes"
    book.save(rival)
    result = run("--lang", "en", "check", str(files.accepted), str(twin), str(rival))
    assert f"same content as {files.accepted.name} in this batch" in result.stdout
    assert f"another file of this batch ({files.accepted.name}) is for the same month" in result.stdout
    assert "already" not in result.stdout
    assert "received before" not in result.stdout


def test_a_held_month_says_why_and_what_to_do(office: Path, files: CityFiles, run: Run) -> None:
    submitted = json.loads(run("submit", str(files.accepted), "--json").stdout)["files"][0]
    key = f"{submitted['submission_id']}/服务进出口!D12"
    label = Wording("明细无法折算", "Line that cannot be converted")
    settings = Settings.from_environment()
    hold(settings, Month(2019, 3), [Hold("T103", "core.service_trade", label, 1, (key,))])
    result = run("--lang", "en", "table", "1", "--month", "2019-03")
    assert result.exit_code == Exit.DATA_ERRORS
    assert "DM-3" in result.stderr
    assert files.accepted.name in result.stderr
    assert submitted["submission_id"] not in result.stderr
    assert "is held" in result.stderr


def test_json_in_front_of_the_command_counts_and_failures_are_objects_too(office: Path, run: Run) -> None:
    assert json.loads(run("--json", "status").stdout)["schema_version"] == 1
    result = run("--json", "status", "--nonsense")
    assert result.exit_code == Exit.USAGE
    error = json.loads(result.stdout)["error"]
    assert error["exit_code"] == Exit.USAGE
    assert "没有选项 --nonsense" in error["message"]["zh"]


def test_the_shortest_reason_is_that_of_the_ledger() -> None:
    assert MIN_REASON_LENGTH == reviews.MIN_REASON_LENGTH


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_register_may_have_chinese_heads(office: Path, run: Run, tmp_path: Path, suffix: str) -> None:
    import xlsxwriter

    heads = [
        "统一社会信用代码",
        "单位详细名称",
        "所在区（开发区）",
        "行业代码",
        "起始月份",
        "终止月份",
        "联系人",
        "联系电话",
    ]
    row = ["91420100000000019Q", "改名公司", "江汉区", "6510", "2019-01", "2019-12", "张三", "027"]
    file = tmp_path / f"名录.{suffix}"
    if suffix == "csv":
        file.write_text("\n".join([",".join(heads), ",".join(row)]), encoding="gb18030")
    else:
        with xlsxwriter.Workbook(file) as workbook:
            sheet = workbook.add_worksheet()
            sheet.write_row(0, 0, heads)
            sheet.write_row(1, 0, row)
    assert run("register", "import", str(file)).exit_code == Exit.OK
    listed = json.loads(run("register", "list", "--json").stdout)["enterprises"]
    [one] = [each for each in listed if each["enterprise_code"] == row[0]]
    assert (one["enterprise_name"], one["district_code"], one["to_month"]) == (
        "改名公司",
        "420103",
        "2019-12",
    )


def test_a_register_with_a_miscopied_code_is_refused_with_what_is_expected(
    office: Path, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "名录.csv"
    file.write_text("企业代码,企业名称,区\n91420100000000019R,甲,江汉区\n", encoding="utf-8")
    result = run("register", "import", str(file))
    assert result.exit_code == Exit.DATA_ERRORS
    assert "名录.csv:2" in result.stderr
    assert "末位应为 Q" in result.stderr
