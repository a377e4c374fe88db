"""`servtrade template`: blank forms as files."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from stdnum.cn import uscc

from pipelines.intake import read_file
from pipelines.ledger import RegisterRow, open_ledger
from pipelines.periods import Month
from tests.reception.filed_by_hand import Line, a_workbook

Run = Callable[..., Result]


def credit_code(number: int) -> str:
    start = f"91420100MA4K{number:05d}"
    return start + uscc.calc_check_digit(start)


@pytest.fixture
def bureau(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with three enterprises on the register and nothing filed."""
    data = tmp_path / "bureau"
    data.mkdir()
    monkeypatch.setenv("SERVTRADE_DATA", str(data))
    monkeypatch.setenv("SERVTRADE_LANG", "zh")
    with open_ledger(f"sqlite:///{data / 'ledger.sqlite'}") as ledger:
        ledger.import_register(
            [
                RegisterRow(credit_code(number), f"示例{number}号有限公司", "420111", "6513", Month(2019, 1))
                for number in (1, 2, 3)
            ]
        )
    return data


def test_one_enterprise_gets_one_file(run: Run, bureau: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "form.xlsx"
    done = run(
        "template", "--month", "2026-03", "--enterprise", credit_code(2), "--form", "FM-2", "--out", str(out)
    )
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert "已生成 1 家企业的空表" in done.stderr
    parsed = read_file(out.name, out.read_bytes())
    assert (parsed.enterprise_code, parsed.form_codes) == (credit_code(2), ("FM-2",))


def test_all_come_as_a_zip_or_into_a_folder(run: Run, bureau: Path, tmp_path: Path) -> None:
    archive, folder = tmp_path / "forms.zip", tmp_path / "forms"
    assert run("template", "--month", "2026-03", "--all", "--out", str(archive)).exit_code == 0
    done = run("template", "--month", "2026-03", "--all", "--out", str(folder), "--json")
    answer = json.loads(done.stdout)
    assert (answer["count"], answer["reference_month"]) == (3, "2026-03")
    assert answer["forms"][0]["forms"] == ["FM-1", "FM-2", "FM-3", "FM-4", "FM-6", "FM-7"]
    with zipfile.ZipFile(archive) as zipped:
        assert {name: zipped.read(name) for name in zipped.namelist()} == {
            path.name: path.read_bytes() for path in folder.iterdir()
        }


def test_a_file_that_is_there_is_kept(run: Run, bureau: Path, tmp_path: Path) -> None:
    out = tmp_path / "form.xlsx"
    out.write_bytes(b"mine")
    command = ("template", "--month", "2026-03", "--enterprise", credit_code(1), "--out", str(out))
    refused = run(*command)
    assert refused.exit_code == 5
    assert "--force" in refused.stderr
    assert out.read_bytes() == b"mine"
    assert run(*command, "--force").exit_code == 0
    assert out.read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--out", "x.xlsx"), "--enterprise"),
        (("--all", "--enterprise", "X", "--out", "x.zip"), "--enterprise"),
        (("--all", "--out", "x.xlsx"), "只能放一家企业"),
        (("--enterprise", "91420100MA4K99999X", "--out", "x.xlsx"), "名录中没有"),
        (("--all", "--form", "FM-99", "--out", "x.zip"), "FM-99"),
        (("--all",), "--out"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_said_and_nothing_is_written(
    run: Run,
    bureau: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    done = run("template", "--month", "2026-03", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == before


def test_without_a_ledger_the_way_out_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVTRADE_DATA", str(tmp_path / "none"))
    done = run("template", "--month", "2026-03", "--all", "--out", str(tmp_path / "x.zip"))
    assert done.exit_code == 4
    assert not (tmp_path / "x.zip").exists()


def test_it_is_said_who_gets_the_joint_form_of_january_and_february(
    run: Run, bureau: Path, tmp_path: Path
) -> None:
    filed = tmp_path / "合并.xlsx"
    lines = [Line("SI2", "USA", 210.5, 210.5)]
    filed.write_bytes(
        a_workbook(credit_code(2), "2020-02", lines, period="2020年1-2月", name="示例2号有限公司")
    )
    submitted = run("submit", str(filed))
    assert submitted.exit_code == 0, submitted.output
    out = tmp_path / "forms"
    done = run("template", "--month", "2020-02", "--all", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert "其中 1 家已按1—2月合并报送" in done.stderr
    names = sorted(path.name.rpartition("_")[2] for path in out.iterdir())
    assert names == ["2020-02.xlsx", "2020-02.xlsx", "2020年1—2月.xlsx"]
    told = run("template", "--month", "2020-02", "--all", "--out", str(out), "--force", "--json").stdout
    assert [form["period"] for form in json.loads(told)["forms"]] == ["2020-02", "2020-M01-02", "2020-02"]
