"""The generated folder: the same for the same seed, complete, countable, and openable."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from pathlib import Path

import olefile
import openpyxl
import pytest
from generated_city import City
from stdnum.cn import uscc

from sample_data.__main__ import main
from sample_data.city import generate
from sample_data.hostile import make_hostile


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_whatever_the_number_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sample_data.city._SMALL_CITY", 0)  # a pool also for a city this small
    generate(tmp_path / "one", enterprises=9, first="2020-01", months=5, seed=3, processes=1)
    generate(tmp_path / "two", enterprises=9, first="2020-01", months=5, seed=3, processes=2)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_another_seed_gives_another_city(tmp_path: Path) -> None:
    generate(tmp_path / "one", enterprises=3, first="2020-01", months=2, seed=1)
    generate(tmp_path / "two", enterprises=3, first="2020-01", months=2, seed=2)
    one, two = digests(tmp_path / "one"), digests(tmp_path / "two")
    assert one["truth.jsonl"] != two["truth.jsonl"] or one["register.csv"] != two["register.csv"]
    assert set(one.values()).isdisjoint(digest for name, digest in two.items() if name.startswith("returns/"))


def test_every_file_of_the_folder_is_filed_once_and_in_the_order_of_arrival(city: City) -> None:
    paths = [path for path, _ in city.filings]
    on_disk = {
        path.relative_to(city.folder).as_posix()
        for part in ("returns", "period_forms", "departments")
        for path in (city.folder / part).rglob("*")
        if path.is_file()
    }
    assert len(paths) == len(set(paths))
    assert set(paths) == on_disk
    times = [received_at for _, received_at in city.filings]
    assert times == sorted(times)
    assert {received_at.utcoffset().total_seconds() for received_at in times} == {8 * 3600}  # type: ignore[union-attr]


def test_the_summary_counts_what_is_there(city: City) -> None:
    summary = city.summary
    returns = [path for path, _ in city.filings if path.startswith("returns/")]
    of_periods = [path for path, _ in city.filings if path.startswith("period_forms/")]
    kinds = Counter(truth["kind"] for truth in city.truths)
    assert summary.expected_return_count == 34 * 13
    assert summary.return_file_count == len(returns)
    assert summary.period_file_count == len(of_periods) > 0
    assert summary.department_file_count == len(city.filings) - len(returns) - len(of_periods)
    assert summary.period_form_error_count + kinds["period_form_correction"] == len(of_periods)
    assert (
        summary.accepted_count + summary.queried_count + summary.rejected_count + summary.not_filed_count
        == summary.expected_return_count
    )
    assert summary.not_filed_count == kinds["not_filed"] > 0
    assert summary.corrected_error_count == kinds["correction"] > 0
    again = (
        kinds["exact_duplicate"] + kinds["revision"] + kinds["correction"] + kinds["unmarked_resubmission"]
    )
    assert summary.return_file_count == summary.filed_count + again


def test_about_nine_returns_in_a_hundred_have_a_mistake_and_most_are_corrected(city: City) -> None:
    share = city.summary.planted_error_count / city.summary.expected_return_count
    assert 0.075 <= share <= 0.105
    assert 0.4 <= city.summary.corrected_error_count / city.summary.planted_error_count <= 0.8


def test_a_city_without_errors_has_one_file_for_every_expected_return(tmp_path: Path) -> None:
    summary = generate(tmp_path, enterprises=5, first="2020-03", months=3, seed=1, error_share=0)
    assert summary.return_file_count == summary.expected_return_count == summary.accepted_count == 15
    assert summary.planted_error_count == summary.not_filed_count == 0
    assert summary.period_file_count == summary.period_form_error_count == 0


def test_totals_are_of_the_scale_of_wuhans_published_figures(city: City) -> None:
    assert 195 <= city.summary.service_trade_usd_100m_by_year[2020] <= 215


def test_the_total_does_not_depend_on_how_many_enterprises_there_are(tmp_path: Path) -> None:
    small = generate(tmp_path / "a", enterprises=6, first="2019-01", months=12, seed=5, error_share=0)
    assert small.service_trade_usd_100m_by_year[2019] == pytest.approx(176, abs=2)


def test_credit_codes_are_valid_and_plainly_made_up(city: City) -> None:
    codes = [row["enterprise_code"] for row in city.register]
    assert len(set(codes)) == len(codes) > 34  # a few left and others came
    for row in city.register:
        assert uscc.is_valid(row["enterprise_code"])
        assert row["enterprise_code"][8:12] == "0000"
        assert any(word in row["enterprise_name"] for word in ("样例", "虚构", "示例"))


def test_an_enterprise_that_leaves_the_register_is_followed_by_another(city: City) -> None:
    left = [row for row in city.register if row["to_month"]]
    came = [row for row in city.register if row["from_month"] != "2019-12"]
    assert len(left) == len(came) > 0


def test_most_returns_arrive_between_the_1st_and_the_10th(city: City) -> None:
    late = {truth["file"] for truth in city.truths if truth["kind"] == "late"}
    seen: set[tuple[str, str]] = set()
    for path, received_at in city.filings:
        _, month, name = path.split("/") if path.startswith("returns/") else ("", "", "")
        enterprise = name.split("_")[0]
        if month and (month, enterprise) not in seen:
            seen.add((month, enterprise))
            assert (received_at.day > 10) == (path in late), path


def test_every_readable_workbook_opens_in_openpyxl(city: City) -> None:
    unreadable = {truth["file"] for truth in city.truths if truth["verdict"] == "unreadable"}
    returns = [path for path, _ in city.filings if path.startswith("returns/") and path not in unreadable]
    for path in [
        *returns[::23],
        *(path for path, _ in city.filings if "DM-" in path and path.endswith("xlsx")),
    ]:
        book = openpyxl.load_workbook(city.folder / path)
        assert book.sheetnames, path


def test_hostile_files_are_what_they_claim_to_be() -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "样例"  # type: ignore[index]
    buffer = io.BytesIO()
    book.save(buffer)
    good = buffer.getvalue()
    encrypted, suffix = make_hostile("encrypted_file", good)
    with olefile.OleFileIO(encrypted) as container:
        assert container.exists("EncryptedPackage")
        assert container.exists("EncryptionInfo")
        assert container.openstream("EncryptedPackage").read().rstrip(b"\0") == good.rstrip(b"\0")
    assert suffix == ".xlsx"
    old, suffix = make_hostile("legacy_xls", good)
    with olefile.OleFileIO(old) as container:
        assert container.exists("Workbook")
    assert suffix == ".xls"
    with pytest.raises(Exception, match=r"zip|File is not"):
        openpyxl.load_workbook(io.BytesIO(make_hostile("corrupt_file", good)[0]))
    assert (
        "xl/vbaProject.bin"
        in openpyxl.load_workbook(
            io.BytesIO(make_hostile("macro_file", good)[0]), keep_vba=True
        ).vba_archive.namelist()
    )  # type: ignore[union-attr]
    blank = openpyxl.load_workbook(io.BytesIO(make_hostile("empty_file", good)[0]))
    assert all(cell.value is None for sheet in blank for row in sheet.iter_rows() for cell in row)
    with pytest.raises(ValueError, match="no kind"):
        make_hostile("unheard_of", good)


def test_the_command_line_writes_a_city_and_says_what_is_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "--enterprises",
        "2",
        "--first",
        "2020-01",
        "--months",
        "2",
        "--seed",
        "5",
        "--out",
        str(tmp_path),
    ]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "expected 4" in out
    assert (tmp_path / "filings.csv").exists()


@pytest.mark.parametrize("wrong", [["--months", "0"], ["--first", "2020-13"], ["--error-share", "2"]])
def test_options_that_cannot_be_are_refused_with_a_sentence(
    wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["--out", str(tmp_path), *wrong])
    assert exit_info.value.code == 2
    assert "error:" in capsys.readouterr().err
