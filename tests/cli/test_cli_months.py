"""Commands over months: status, run, table, targets, rebuild, doctor, demo, register, init."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from click.testing import Result
from computed_city import ENTERPRISES, HOUSE, MONTHS, environment, servtrade
from conftest import CityFiles

from pipelines.cli.exits import Exit

Run = Callable[..., Result]


def objects(text: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(text)
    assert content["schema_version"] == 1
    return content


@pytest.fixture
def computed(city: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The computed city, to look at."""
    monkeypatch.setenv("SERVTRADE_DATA", str(city))
    monkeypatch.setenv("SERVTRADE_LANG", "zh")
    return city


# -- the demo ---------------------------------------------------------------------------------------------


def test_the_demo_finds_what_was_planted_and_computes_every_month(city: Path) -> None:
    answer = objects((city / "answer.json").read_text(encoding="utf-8"))
    assert answer["filing"]["expected"] == ENTERPRISES * MONTHS
    assert answer["planted_errors"]["found"] == answer["planted_errors"]["planted"] > 0
    assert answer["planted_errors"]["clean_files_not_accepted"] == 0
    assert answer["held_months"] == []
    assert len(answer["headline_targets"]) == 2
    assert set(answer["steps"]) == {"generate", "prepare", "submit", "compute"}
    for month in ("2019-01", "2019-02", "2019-03"):
        assert (city / "drafts" / month / f"服务贸易统计表_{month}.xlsx").is_file()


def test_the_demo_keeps_away_from_real_returns(files: CityFiles, office: Path, run: Run) -> None:
    run("submit", str(files.accepted))
    before = sorted(path for path in office.rglob("*") if path.is_file())
    result = run("demo", "--enterprises", "2", "--months", "1")
    assert result.exit_code == Exit.CONFLICT
    assert "演示不会写入" in result.stderr
    assert sorted(path for path in office.rglob("*") if path.is_file()) == before


def test_the_demo_keeps_away_from_another_city(computed: Path, run: Run) -> None:
    result = run("demo", "--seed", "8")
    assert result.exit_code == Exit.CONFLICT
    assert "另一座样例城市" in result.stderr


# -- status -----------------------------------------------------------------------------------------------


def test_status_adds_up_for_every_month(computed: Path, run: Run) -> None:
    content = objects(run("status", "--json").stdout)
    assert [one["month"] for one in content["months"]] == ["2019-01", "2019-02", "2019-03"]
    for one in content["months"]:
        assert one["filed"] == one["accepted"] + one["queries"] + one["rejected"]
        assert one["expected"] == one["filed"] + one["not_filed"] == ENTERPRISES


def test_status_of_a_month_names_those_that_have_not_filed(computed: Path, run: Run) -> None:
    content = objects(run("status", "--month", "2019-01", "--json").stdout)
    assert [one["enterprise_code"] for one in content["not_filed"]] == ["9142010000000006XU"]
    text = run("status", "--month", "2019年1月").stdout
    assert "9142010000000006XU" in text
    assert "未报 1 家" in text


def test_a_month_that_is_none_is_a_mistake_in_the_command(computed: Path, run: Run) -> None:
    result = run("status", "--month", "2019-13")
    assert result.exit_code == Exit.USAGE
    assert "请写作 2020-12" in result.stderr


# -- tables -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["2", "table_02", "publication.table_02", "表2"])
def test_a_table_answers_to_its_names(computed: Path, run: Run, name: str) -> None:
    result = run("table", name, "--month", "2019-03")
    assert result.exit_code == Exit.OK
    assert result.stdout.startswith("表2")


def test_a_table_says_the_same_as_text_csv_and_json(computed: Path, run: Run) -> None:
    text = run("table", "1", "--month", "2019-03").stdout
    rows = list(csv.reader(io.StringIO(run("table", "1", "--month", "2019-03", "--format", "csv").stdout)))
    content = objects(run("table", "1", "--month", "2019-03", "--json").stdout)
    [exports] = [row for row in content["rows"] if row["code"] == "exports"]
    value = exports["cells"]["month_usd"]["value"]
    assert content["table"] == "table_01"
    assert next(row for row in rows if row[0].strip() == "出口")[1] == value
    assert value in text.replace(",", "")


def test_without_a_month_the_latest_draft_is_shown(computed: Path, run: Run) -> None:
    assert objects(run("table", "1", "--json").stdout)["month"] == "2019-03"


def test_a_table_that_is_none_is_named_with_those_there_are(computed: Path, run: Run) -> None:
    result = run("table", "77")
    assert result.exit_code == Exit.USAGE
    assert "table_09" in result.stderr


def test_a_month_without_draft_says_how_to_get_one(computed: Path, run: Run) -> None:
    result = run("table", "1", "--month", "2018-01")
    assert result.exit_code == Exit.ENVIRONMENT
    assert "servtrade run --month 2018-01" in result.stderr


def test_a_file_is_overwritten_only_by_force(computed: Path, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "表一.csv"
    arguments = ("table", "1", "--format", "csv", "--output", str(target))
    assert run(*arguments).exit_code == Exit.OK
    # Excel and WPS take a CSV for Chinese only with the mark in front.
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")
    target.write_bytes(b"kept")
    result = run(*arguments)
    assert result.exit_code == Exit.CONFLICT
    assert "--force" in result.stderr
    assert target.read_bytes() == b"kept"
    assert run(*arguments, "--force").exit_code == Exit.OK
    assert target.read_bytes() != b"kept"


def test_targets_show_the_two_headline_targets(computed: Path, run: Run) -> None:
    content = objects(run("targets", "--json").stdout)
    headlines = [row for row in content["rows"] if row["code"].startswith("headline")]
    assert len(headlines) == 2
    assert all(row["cells"]["value"]["value"] is not None for row in headlines)


# -- run and rebuild ---------------------------------------------------------------------------------------


def test_run_computes_a_month_and_names_those_that_read_it(copied_city: Path) -> None:
    done = servtrade(copied_city, "run", "--month", "2019-02", "--lang", "en")
    assert done.returncode == Exit.OK, done.stderr
    assert "--from 2019-02" in done.stderr
    assert done.stdout == ""


def test_run_wants_to_know_which_months(computed: Path, run: Run) -> None:
    assert run("run").exit_code == Exit.USAGE
    assert run("run", "--month", "2019-01", "--all").exit_code == Exit.USAGE
    assert run("run", "--from", "2019-03", "--to", "2019-01").exit_code == Exit.USAGE


def test_run_with_nothing_filed_has_nothing_to_compute(office: Path, run: Run) -> None:
    result = run("run", "--all")
    assert result.exit_code == Exit.USAGE
    assert "没有可计算的内容" in result.stderr


def test_a_month_before_the_first_partition_cannot_be_computed(copied_city: Path) -> None:
    done = servtrade(copied_city, "run", "--month", "2009-01", "--lang", "en")
    assert done.returncode == Exit.USAGE
    assert "2015-01" in done.stderr


def test_a_busy_warehouse_is_waited_for_and_then_left_alone(copied_city: Path) -> None:
    program = (
        "import sys, time\n"
        "from pipelines.settings import Settings\n"
        "from pipelines.warehouse.connection import open_warehouse\n"
        "with open_warehouse(Settings.from_environment(), wait_seconds=0, purpose='another run'):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=HOUSE,
        env=environment(copied_city),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        done = servtrade(copied_city, "run", "--month", "2019-01", "--wait", "0.5", "--lang", "en")
        looked = servtrade(copied_city, "doctor", "--json")
        holder.communicate("\n")
    assert done.returncode == Exit.CONFLICT
    assert "another run" in done.stderr
    assert "Traceback" not in done.stderr
    [warehouse] = [one for one in objects(looked.stdout)["checks"] if one["name"] == "warehouse"]
    assert warehouse["status"] == "note"


def test_rebuild_reads_the_originals_again_and_gives_every_file_back(copied_city: Path) -> None:
    drafts = copied_city / "drafts"
    before = {path.relative_to(drafts): path.read_bytes() for path in drafts.rglob("*") if path.is_file()}
    (copied_city / "warehouse.duckdb").write_bytes(b"no longer a database")
    for path in (copied_city / "lines").rglob("*.parquet"):
        path.chmod(0o644)
        path.write_bytes(b"damaged")
    done = servtrade(copied_city, "rebuild", "--lines", "--lang", "en")
    assert done.returncode == Exit.OK, done.stderr
    assert "originals read again" in done.stderr
    after = {path.relative_to(drafts): path.read_bytes() for path in drafts.rglob("*") if path.is_file()}
    assert sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)) == []


# -- register and init ---------------------------------------------------------------------------------------


def test_a_register_may_be_a_workbook(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVTRADE_DATA", str(tmp_path / "data"))
    file = tmp_path / "名录.xlsx"
    with xlsxwriter.Workbook(file) as workbook:
        sheet = workbook.add_worksheet("名录")
        sheet.write_row(0, 0, ["enterprise_code", "enterprise_name", "district_code", "from_month"])
        sheet.write_row(1, 0, ["91420100000000019Q", "样例公司", "江汉区", "2019-01"])
    assert run("register", "import", str(file)).exit_code == Exit.OK
    [one] = objects(run("register", "list", "--json").stdout)["enterprises"]
    assert one["enterprise_name"] == "样例公司"
    assert one["district_code"] == "420103"
    assert one["from_month"] == "2019-01"


def test_importing_a_register_twice_changes_nothing(files: CityFiles, office: Path, run: Run) -> None:
    content = objects(run("register", "import", str(files.folder / "register.csv"), "--json").stdout)
    assert content["changed"] == 0
    assert content["enterprises"] == ENTERPRISES


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("enterprise_code,enterprise_name\n91420100000000019Q,B\n", "district_code"),
        ("enterprise_code,enterprise_name,district_code\n91420100000000019Q,B,nowhere\n", "nowhere"),
        ("enterprise_code,enterprise_name,district_code\n,B,420103\n", "enterprise_code"),
        (
            "enterprise_code,enterprise_name,district_code,from_month\n91420100000000019Q,B,420103,soon\n",
            "soon",
        ),
    ],
)
def test_a_register_with_a_fault_is_not_imported_at_all(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    monkeypatch.setenv("SERVTRADE_DATA", str(tmp_path / "data"))
    good = "91420100000000019Q,样例公司,420103,\n" if "from_month" in text else ""
    (tmp_path / "名录.csv").write_text(text + good, encoding="utf-8")
    result = run("register", "import", str(tmp_path / "名录.csv"))
    assert result.exit_code == Exit.DATA_ERRORS
    assert says in result.stderr
    assert not (tmp_path / "data" / "ledger.sqlite").exists()


def test_a_register_in_gb18030_is_read(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVTRADE_DATA", str(tmp_path / "data"))
    text = "enterprise_code,enterprise_name,district_code\n91420100000000019Q,样例公司,江汉区\n"
    (tmp_path / "名录.csv").write_bytes(text.encode("gb18030"))
    assert run("register", "import", str(tmp_path / "名录.csv")).exit_code == Exit.OK


def test_init_may_be_repeated_and_keeps_what_is_there(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert servtrade(data, "init", "--quiet").returncode == Exit.OK
    (data / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    (data / "inbox" / "报表.xlsx").write_bytes(b"kept")
    done = servtrade(data, "init", "--json")
    assert done.returncode == Exit.OK
    assert objects(done.stdout)["enterprises"] == 0
    assert (data / "dagster" / "dagster.yaml").read_text(encoding="utf-8") == "telemetry: {enabled: false}\n"
    assert (data / "inbox" / "报表.xlsx").read_bytes() == b"kept"


# -- doctor ------------------------------------------------------------------------------------------------


def test_doctor_finds_nothing_missing_where_all_is_well(city: Path) -> None:
    done = servtrade(city, "doctor", "--json")
    content = objects(done.stdout)
    assert [one for one in content["checks"] if one["status"] == "missing"] == []
    assert done.returncode == Exit.OK
    assert content["ok"]
    assert {one["name"] for one in content["checks"]} >= {
        "python",
        "packages",
        "defusedxml",
        "readers",
        "data_folder",
        "disk",
        "ledger",
        "key",
        "originals",
        "lines",
        "warehouse",
        "time_zone",
        "clock",
    }


def test_doctor_finds_an_altered_original_and_says_what_to_do(copied_city: Path) -> None:
    for path in (copied_city / "originals").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"altered")
    done = servtrade(copied_city, "doctor", "--lang", "en")
    assert done.returncode == Exit.ENVIRONMENT
    assert "✕ originals" in done.stdout
    assert "Restore" in done.stdout


def test_doctor_finds_a_key_that_is_lost_or_open_to_others(copied_city: Path) -> None:
    key = copied_city / "secrets" / "ledger.key"
    key.chmod(0o644)
    done = servtrade(copied_city, "doctor", "--lang", "en")
    assert done.returncode == Exit.ENVIRONMENT
    assert f"chmod 600 {key}" in done.stdout
    key.unlink()
    done = servtrade(copied_city, "doctor", "--lang", "en")
    assert done.returncode == Exit.ENVIRONMENT
    assert "✕ key" in done.stdout
    assert "Restore secrets/ledger.key" in done.stdout


def test_doctor_finds_cells_that_are_lost_and_says_how_to_read_them_again(copied_city: Path) -> None:
    next(path for path in (copied_city / "lines").rglob("*.parquet")).unlink()
    done = servtrade(copied_city, "doctor", "--lang", "en")
    assert done.returncode == Exit.ENVIRONMENT
    assert "✕ lines: 1 of" in done.stdout
    assert "servtrade rebuild --lines" in done.stdout


def test_doctor_of_an_empty_machine_says_how_to_begin_and_makes_nothing(tmp_path: Path) -> None:
    done = servtrade(tmp_path / "data", "doctor", "--lang", "en")
    assert done.returncode == Exit.OK, done.stdout
    assert "servtrade init" in done.stdout
    assert not (tmp_path / "data").exists()
