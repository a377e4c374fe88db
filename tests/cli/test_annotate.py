"""`servtrade annotate`: the copy beside the file, the file untouched, nothing recorded."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from click.testing import Result
from conftest import CityFiles

from pipelines.cli.exits import Exit

Run = Callable[..., Result]


@pytest.fixture
def copied(files: CityFiles, tmp_path: Path) -> dict[str, Path]:
    """One file for each verdict, where copies may be written beside it."""
    folder = tmp_path / "files"
    folder.mkdir()
    found = {}
    for verdict in ("accepted", "queried", "rejected", "unreadable"):
        source: Path = getattr(files, verdict)
        found[verdict] = folder / f"{verdict}{source.suffix}"
        found[verdict].write_bytes(source.read_bytes())
    return found


def sheet_names(path: Path) -> list[str]:
    return list(openpyxl.load_workbook(path).sheetnames)


@pytest.mark.parametrize(
    ("which", "code", "says"),
    [
        ("queried", Exit.DATA_ERRORS, "待核实"),
        ("rejected", Exit.DATA_ERRORS, "退回"),
        ("unreadable", Exit.REFUSED, "拒收"),
    ],
)
def test_the_copy_stands_beside_the_file_and_says_the_verdict(
    run: Run, office: Path, copied: dict[str, Path], which: str, code: Exit, says: str
) -> None:
    path = copied[which]
    before = path.read_bytes()
    result = run("annotate", str(path))
    assert result.exit_code == code, result.stderr
    made = path.with_name(f"{which}_审核意见.xlsx")
    assert str(made) in result.stdout
    assert path.read_bytes() == before
    page = openpyxl.load_workbook(made).worksheets[0]
    assert page.title == "审核意见"
    assert says in str(page["A2"].value)
    assert sorted(one.name for one in path.parent.iterdir()) == sorted(
        [made.name, *(one.name for one in copied.values())]
    )


def test_findings_of_check_are_those_marked_in_the_copy(
    run: Run, office: Path, copied: dict[str, Path]
) -> None:
    checked = json.loads(run("check", str(copied["queried"]), "--json").stdout)
    told = json.loads(run("annotate", str(copied["queried"]), "--json").stdout)
    assert told["findings"] == checked["findings"]
    assert told["findings"]
    assert told["losses"] == []
    book = openpyxl.load_workbook(told["annotated"])
    for finding in checked["findings"]:
        if finding["cell"]:
            cell = book[finding["sheet"]][finding["cell"]]
            anchor = next(
                (
                    book[finding["sheet"]].cell(one.min_row, one.min_col)
                    for one in book[finding["sheet"]].merged_cells.ranges
                    if cell.coordinate in one
                ),
                cell,
            )
            assert anchor.fill.fill_type == "solid", finding
            assert finding["message"]["zh"][:40] in anchor.comment.text


def test_checking_the_annotated_copy_says_the_same_of_the_cells(
    run: Run, office: Path, copied: dict[str, Path]
) -> None:
    told = json.loads(run("annotate", str(copied["queried"]), "--json").stdout)
    again = json.loads(run("check", told["annotated"], "--json").stdout)
    assert again["findings"] == told["findings"]
    assert again["lines"] == told["lines"]


def test_nothing_is_recorded(run: Run, office: Path, copied: dict[str, Path]) -> None:
    before = json.loads(run("status", "--json").stdout)
    run("annotate", str(copied["queried"]))
    assert json.loads(run("status", "--json").stdout) == before
    checked = json.loads(run("check", str(copied["queried"]), "--json").stdout)
    assert not checked["is_duplicate"]


def test_a_copy_that_is_there_is_not_overwritten_without_force(
    run: Run, office: Path, copied: dict[str, Path]
) -> None:
    made = copied["rejected"].with_name("rejected_审核意见.xlsx")
    made.write_bytes(b"mine")
    result = run("annotate", str(copied["rejected"]))
    assert result.exit_code == Exit.CONFLICT
    assert "--force" in result.stderr
    assert made.read_bytes() == b"mine"
    assert run("annotate", str(copied["rejected"]), "--force").exit_code == Exit.DATA_ERRORS
    assert sheet_names(made)[0] == "审核意见"


def test_the_file_itself_is_never_the_copy(run: Run, office: Path, copied: dict[str, Path]) -> None:
    path = copied["rejected"]
    before = path.read_bytes()
    result = run("annotate", str(path), "--out", str(path), "--force")
    assert result.exit_code == Exit.USAGE
    assert "--out" in result.stderr
    assert path.read_bytes() == before


def test_annotating_a_copy_again_goes_over_the_copy_only_when_asked(
    run: Run, office: Path, copied: dict[str, Path]
) -> None:
    run("annotate", str(copied["rejected"]))
    made = copied["rejected"].with_name("rejected_审核意见.xlsx")
    result = run("annotate", str(made))
    assert result.exit_code == Exit.USAGE, "the copy's own name is that of the file given"
    other = made.with_name("第二次.xlsx")
    assert run("annotate", str(made), "--out", str(other)).exit_code == Exit.DATA_ERRORS
    assert sheet_names(other) == sheet_names(made)


def test_in_english_the_copy_is_english(
    run: Run, office: Path, copied: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "elsewhere" / "copy.xlsx"
    result = run("annotate", str(copied["rejected"]), "--lang", "en", "--out", str(out))
    assert result.exit_code == Exit.DATA_ERRORS
    assert "Annotated copy written" in result.stdout
    assert sheet_names(out)[0] == "Review notes"


def test_an_accepted_file_gets_a_sheet_that_says_so(run: Run, office: Path, copied: dict[str, Path]) -> None:
    result = run("annotate", str(copied["accepted"]))
    assert result.exit_code in (Exit.OK, Exit.DATA_ERRORS), "without history there may be a question"
    assert sheet_names(copied["accepted"].with_name("accepted_审核意见.xlsx"))[0] == "审核意见"


def test_a_link_is_refused_and_no_copy_is_made(run: Run, office: Path, copied: dict[str, Path]) -> None:
    link = copied["rejected"].with_name("link.xlsx")
    link.symlink_to(copied["rejected"])
    result = run("annotate", str(link), "--json")
    assert result.exit_code == Exit.REFUSED
    assert json.loads(result.stdout)["annotated"] is None
    assert not link.with_name("link_审核意见.xlsx").exists()


def test_without_a_data_folder_a_file_is_annotated_all_the_same(
    run: Run, copied: dict[str, Path], tmp_path: Path
) -> None:
    result = run("annotate", str(copied["rejected"]), "--data", str(tmp_path / "nothing"))
    assert result.exit_code == Exit.DATA_ERRORS, result.stderr
    content = copied["rejected"].with_name("rejected_审核意见.xlsx").read_bytes()
    texts = [
        str(cell.value)
        for row in openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].iter_rows()
        for cell in row
        if cell.value
    ]
    assert any("H1b" in text and "没有核对" in text for text in texts), (
        "that there is no register is said here too"
    )
