"""What the door does with files, on the real packages from bytes to ledger."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from filed_by_hand import Line, a_file, a_rate_table, a_workbook, credit_code

from pipelines.findings import Severity, Verdict
from pipelines.ledger import Ledger, open_ledger
from pipelines.ledger.actors import Actor
from pipelines.periods import Month
from pipelines.reception import FileResult, IncomingFile, Progress, Reception
from pipelines.records import FileKind
from pipelines.settings import Settings
from pipelines.stores import Lines, Originals

E01, E02 = credit_code(1), credit_code(2)


def january(**changes: object) -> bytes:
    return a_workbook(E01, "2020-01", [Line(export=100.5, export_ytd=100.5)], **changes)  # type: ignore[arg-type]


def submit(reception: Reception, *files: IncomingFile) -> list[FileResult]:
    return reception.submit(files, channel="test", received_by="王")


def rules_of(result: FileResult, *severities: Severity) -> set[str]:
    return {finding.rule for finding in result.findings if not severities or finding.severity in severities}


def everything_below(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# -- one file ----------------------------------------------------------------------------------------


def test_a_sound_return_is_accepted_and_stands_in_every_store(
    settings: Settings, ledger: Ledger, reception: Reception
) -> None:
    content = january()
    [result] = submit(reception, a_file("一月.xlsx", content, "2020-02-08T09:00"))

    assert (result.verdict, result.findings) == (Verdict.ACCEPTED, ())
    assert (result.version, result.is_duplicate) == (1, False)
    [filed] = ledger.submissions(Month(2020, 1))
    assert filed.submission_id == result.submission_id
    assert (filed.kind, filed.enterprise_code, filed.file_name) == (FileKind.RETURN, E01, "一月.xlsx")
    assert (filed.received_by, filed.channel, filed.is_late) == ("王", "test", False)
    assert Originals(settings.originals_dir).get(result.sha256) == content
    cells = Lines(settings.lines_dir).read({filed.submission_id: filed.lines_file}).to_pylist()
    [amount] = [cell for cell in cells if cell["field"] == "export" and cell["section"] == "row"]
    assert (amount["number"], amount["cell"], amount["sheet"]) == (Decimal("100.5"), "D11", "服务进出口")


def test_a_return_after_the_deadline_is_late(ledger: Ledger, reception: Reception) -> None:
    submit(reception, a_file("一月.xlsx", january(), "2020-02-11T00:00"))
    assert ledger.submissions()[0].is_late


def test_checking_writes_nothing(settings: Settings, ledger: Ledger, reception: Reception) -> None:
    before = everything_below(settings.data_dir)
    [result] = reception.check([a_file("一月.xlsx", january())])
    assert result.verdict is Verdict.ACCEPTED
    assert ledger.submissions() == []
    after = everything_below(settings.data_dir)
    assert {name for name in after if not name.endswith(("-wal", "-shm"))} == {
        name for name in before if not name.endswith(("-wal", "-shm"))
    }


def test_the_answer_in_json_has_the_shape_of_the_contract(reception: Reception) -> None:
    lines = [
        Line("SI2", "美国", export="１，２３４.５", export_ytd=1234.5, export_share=40),
        Line("SJ1", "JPN", export="..", imports=0, imports_ytd=0),
    ]
    content = a_workbook(E01, "2020-01", lines)
    [result] = reception.check([a_file("一月.xlsx", content, "2020-02-08T09:00")])
    answer = json.loads(json.dumps(result.as_json(lines=True)))

    assert "lines_detail" not in result.as_json()
    assert {
        key: answer[key] for key in ("schema_version", "file", "form", "reference_month", "enterprise_code")
    } == {
        "schema_version": 1,
        "file": "一月.xlsx",
        "form": "FM-2",
        "reference_month": "2020-01",
        "enterprise_code": E01,
    }
    assert answer["lines"] == 2
    [fix] = [fix for fix in answer["fixes"] if fix["cell"] == "D11"]
    assert (fix["given"], fix["read_as"]) == ("１，２３４.５", "1234.5")
    assert set(fix["why"]) == {"zh", "en"}
    first, withheld, zero = answer["lines_detail"]
    assert first == {
        "form": "FM-2",
        "item_code": "SI2",
        "partner_code": "USA",
        "flow": "export",
        "amount": "1234.5",
        "state": "value",
        "unit": "万美元",
        "currency": "USD",
        "amount_usd": "12345000.0000",
        "remote_share_pct": "40",
        "sheet": "服务进出口",
        "cell": "D11",
    }
    assert (withheld["state"], withheld["amount"], withheld["amount_usd"]) == ("withheld", None, None)
    assert (zero["state"], zero["amount"], zero["amount_usd"]) == ("zero", "0", "0.0000")


def test_yuan_become_dollars_at_the_rate_of_the_month_and_stay_empty_without_one(
    reception: Reception,
) -> None:
    in_yuan = a_workbook(E01, "2020-01", [Line(export=690, export_ytd=690)], unit="万元")
    [without] = reception.check([a_file("一月.xlsx", in_yuan)])
    assert without.as_json(lines=True)["lines_detail"][0]["amount_usd"] is None

    with_rates = submit(
        reception, a_file("一月.xlsx", in_yuan), a_file("汇率.csv", a_rate_table(2020, rate=6.9))
    )
    assert [result.verdict for result in with_rates] == [Verdict.ACCEPTED, Verdict.ACCEPTED]
    [line] = with_rates[0].as_json(lines=True)["lines_detail"]
    assert (line["currency"], line["amount_usd"]) == ("CNY", "1000000.0000")
    [checked] = reception.check([a_file("一月.xlsx", in_yuan)])  # known now: from the stores
    assert checked.as_json(lines=True)["lines_detail"] == [line]


# -- several files -----------------------------------------------------------------------------------


def test_a_bad_file_spoils_nothing_but_itself(ledger: Ledger, reception: Reception) -> None:
    bad = [
        ("空.xlsx", b""),
        ("垃圾.xlsx", b"PK\x03\x04 not a zip at all"),
        ("旧.xls", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)),
        ("网页.xlsx", b"<html><body>error 500</body></html>"),
    ]
    files = [a_file(name, content) for name, content in bad]
    files.insert(2, a_file("一月.xlsx", january()))
    results = submit(reception, *files)

    assert [result.name for result in results] == [file.name for file in files]
    assert [result.verdict for result in results] == [
        Verdict.UNREADABLE,
        Verdict.UNREADABLE,
        Verdict.ACCEPTED,
        Verdict.UNREADABLE,
        Verdict.UNREADABLE,
    ]
    for result in results:
        assert (len(result.findings) == 1) is (result.verdict is Verdict.UNREADABLE)
        for finding in result.findings:
            assert finding.message.zh
            assert finding.message.en
    assert len(ledger.submissions()) == 5


def test_a_file_that_is_not_there_is_said_to_be_missing_and_the_others_are_filed(
    tmp_path: Path, ledger: Ledger, reception: Reception
) -> None:
    present = tmp_path / "一月.xlsx"
    present.write_bytes(january())
    missing, found = submit(
        reception,
        IncomingFile("不存在.xlsx", path=tmp_path / "不存在.xlsx"),
        IncomingFile("一月.xlsx", path=present),
    )
    assert (missing.verdict, rules_of(missing)) == (Verdict.UNREADABLE, {"G09"})
    assert found.verdict is Verdict.ACCEPTED
    assert len(ledger.submissions()) == 1


def test_a_file_beyond_the_limit_is_refused_and_kept_under_the_digest_of_all_its_bytes(
    tmp_path: Path, settings: Settings, ledger: Ledger, reception: Reception
) -> None:
    large = tmp_path / "大.xlsx"
    with large.open("wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(21 * 1024 * 1024)
    [checked] = reception.check([IncomingFile("大.xlsx", path=large)])
    [result] = submit(reception, IncomingFile("大.xlsx", path=large))
    assert rules_of(checked) == rules_of(result) == {"G05"}
    assert checked.sha256 == result.sha256
    assert Originals(settings.originals_dir).path(result.sha256).stat().st_size == 21 * 1024 * 1024
    assert ledger.submissions()[0].size_bytes == 21 * 1024 * 1024


def test_the_same_bytes_filed_twice_are_one_submission(ledger: Ledger, reception: Reception) -> None:
    first, again = submit(reception, a_file("一月.xlsx", january()), a_file("一月 (2).xlsx", january()))
    [later] = submit(reception, a_file("又一次.xlsx", january()))

    assert [first.is_duplicate, again.is_duplicate, later.is_duplicate] == [False, True, True]
    assert first.submission_id == again.submission_id == later.submission_id
    assert again.verdict is later.verdict is Verdict.ACCEPTED
    assert len(ledger.submissions()) == 1
    assert [filing.file_name for filing in ledger.filings(first.submission_id)] == [
        "一月.xlsx",
        "一月 (2).xlsx",
        "又一次.xlsx",
    ]


def test_checking_a_file_twice_in_one_go_answers_twice(reception: Reception) -> None:
    first, again = reception.check([a_file("一月.xlsx", january()), a_file("副本.xlsx", january())])
    assert (first.is_duplicate, again.is_duplicate) == (False, True)
    assert again.name == "副本.xlsx"


def test_checking_a_filed_return_does_not_hold_it_against_itself(reception: Reception) -> None:
    submit(reception, a_file("一月.xlsx", january()))
    [checked] = reception.check([a_file("一月.xlsx", january())])
    assert (checked.verdict, checked.is_duplicate, checked.version) == (Verdict.ACCEPTED, True, 1)


def test_a_marked_correction_replaces_the_accepted_return(ledger: Ledger, reception: Reception) -> None:
    submit(reception, a_file("一月.xlsx", january()))
    corrected = a_workbook(E01, "2020-01", [Line(export=200.5, export_ytd=200.5)], is_revision=True)
    [result] = submit(reception, a_file("一月更正.xlsx", corrected))

    assert (result.verdict, result.version) == (Verdict.ACCEPTED, 2)
    old, new = ledger.submissions(Month(2020, 1))
    assert (old.is_current_accepted, new.is_current_accepted) == (False, True)
    assert new.supersedes_submission_id == old.submission_id


def test_a_second_return_that_is_not_marked_as_a_correction_is_sent_back(
    ledger: Ledger, reception: Reception
) -> None:
    other = a_workbook(E01, "2020-01", [Line(export=200.5, export_ytd=200.5)])
    first, second = submit(reception, a_file("一月.xlsx", january()), a_file("一月新.xlsx", other))
    assert first.verdict is Verdict.ACCEPTED
    assert second.verdict is Verdict.REJECTED
    assert "H7c" in rules_of(second, Severity.CRITICAL)
    old, new = ledger.submissions(Month(2020, 1))
    assert (old.version, new.version) == (1, 2)
    assert old.is_current_accepted


def january_and_february(**changes: object) -> bytes:
    lines = [Line(export=210.5, export_ytd=210.5)]
    return a_workbook(E01, "2020-02", lines, period="2020年1-2月", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("is_one_delivery", [True, False])
def test_months_accepted_singly_are_not_accepted_together_as_well(
    settings: Settings, ledger: Ledger, reception: Reception, is_one_delivery: bool
) -> None:
    files = [
        a_file("一月.xlsx", january()),
        a_file("二月.xlsx", a_workbook(E01, "2020-02", [Line(export=110, export_ytd=210.5)])),
        a_file("合并.xlsx", january_and_february(is_revision=True)),
    ]
    results = submit(reception, *files) if is_one_delivery else [submit(reception, one)[0] for one in files]
    assert [result.verdict for result in results] == [Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.REJECTED]
    [found] = [found for found in results[2].findings if found.rule == "H7e"]
    assert (found.cell, found.expected) == ("J6", "2020-01, 2020-02")


@pytest.mark.parametrize("month", ["2020-01", "2020-02"])
def test_a_month_accepted_within_a_joint_return_is_not_accepted_singly_as_well(
    reception: Reception, month: str
) -> None:
    [joint] = submit(reception, a_file("合并.xlsx", january_and_february()))
    single = a_workbook(E01, month, [Line(export=100.5, export_ytd=100.5)], is_revision=True)
    [result] = submit(reception, a_file("单月.xlsx", single))
    assert joint.verdict is Verdict.ACCEPTED
    assert result.verdict is Verdict.REJECTED
    [found] = [found for found in result.findings if found.rule == "H7e"]
    assert found.expected == "2020-M01-02"


def test_history_is_judged_first_whatever_the_order_of_the_files(reception: Reception) -> None:
    february = a_workbook(E01, "2020-02", [Line(export=5000, export_ytd=5100.5)])
    results = submit(reception, a_file("二月.xlsx", february), a_file("一月.xlsx", january()))
    assert [result.name for result in results] == ["二月.xlsx", "一月.xlsx"]
    assert results[1].verdict is Verdict.ACCEPTED
    assert results[0].verdict is Verdict.QUERIES
    assert rules_of(results[0], Severity.WARNING)


def test_history_filed_earlier_is_read_from_the_stores(
    settings: Settings, ledger: Ledger, reception: Reception
) -> None:
    submit(reception, a_file("一月.xlsx", january()))
    wrong_total = a_workbook(E01, "2020-02", [Line(export=101, export_ytd=999)])
    with Reception(settings, ledger) as another_door:
        [result] = another_door.check([a_file("二月.xlsx", wrong_total)])
    assert "H2" in rules_of(result, Severity.CRITICAL)


def test_a_rejected_return_is_no_history(reception: Reception) -> None:
    rejected = a_workbook(E01, "2020-01", [Line(export=-100, export_ytd=-100)])
    february = a_workbook(E01, "2020-02", [Line(export=101, export_ytd=999)])
    first, second = submit(reception, a_file("一月.xlsx", rejected), a_file("二月.xlsx", february))
    assert first.verdict is Verdict.REJECTED
    assert "H2" not in rules_of(second)


def test_one_enterprise_does_not_weigh_on_another(reception: Reception) -> None:
    other = a_workbook(E02, "2020-02", [Line(export=5000, export_ytd=5000)])
    submit(reception, a_file("一月.xlsx", january()))
    [result] = submit(reception, a_file("二月.xlsx", other))
    assert result.verdict is Verdict.ACCEPTED


def test_an_explanation_in_the_remark_column_answers_the_query(ledger: Ledger, reception: Reception) -> None:
    submit(reception, a_file("一月.xlsx", january()))
    explained = a_workbook(
        E01, "2020-02", [Line(export=5000, export_ytd=5100.5, remark="大额合同本月一次性结算")]
    )
    [result] = submit(reception, a_file("二月.xlsx", explained))
    assert result.verdict is Verdict.ACCEPTED
    [finding] = [finding for finding in result.findings if finding.severity is Severity.INFO]
    assert "大额合同本月一次性结算" in finding.message.zh
    assert ledger.findings(result.submission_id) == list(result.findings)


def test_a_confirmed_query_becomes_history(ledger: Ledger, reception: Reception) -> None:
    february = a_workbook(E01, "2020-02", [Line(export=5000, export_ytd=5100.5)])
    march = a_workbook(E01, "2020-03", [Line(export=5100, export_ytd=1)])
    _, queried = submit(reception, a_file("一月.xlsx", january()), a_file("二月.xlsx", february))
    [before] = reception.check([a_file("三月.xlsx", march)])
    ledger.confirm(queried.submission_id, "已与企业核实，确有大额合同", Actor("李", is_operator=True))
    [after] = reception.check([a_file("三月.xlsx", march)])
    assert "H2" not in rules_of(before)
    assert "H2" in rules_of(after)


def test_an_enterprise_that_nobody_registered_is_sent_back(reception: Reception) -> None:
    stranger = a_workbook(credit_code(999), "2020-01", [Line(export=1, export_ytd=1)])
    [result] = submit(reception, a_file("一月.xlsx", stranger))
    assert result.verdict is Verdict.REJECTED
    assert "H1b" in rules_of(result, Severity.CRITICAL)


def test_a_zero_return_is_a_return(ledger: Ledger, reception: Reception) -> None:
    nothing = a_workbook(E01, "2020-01", [], is_zero_return=True)
    [result] = submit(reception, a_file("零报.xlsx", nothing))
    assert (result.verdict, result.is_zero_return, result.line_count) == (Verdict.ACCEPTED, True, 0)
    assert ledger.submissions()[0].is_zero_return


# -- departments -------------------------------------------------------------------------------------


def test_a_departmental_table_goes_through_the_same_door(
    settings: Settings, ledger: Ledger, reception: Reception
) -> None:
    [result] = submit(reception, a_file("汇率.csv", a_rate_table(2020)))
    assert (result.verdict, result.form_codes) == (Verdict.ACCEPTED, ("DM-3",))
    assert result.department == "国家外汇管理局湖北省分局"
    [filed] = ledger.submissions(kind=FileKind.DEPARTMENT)
    assert filed.version == 1
    assert Originals(settings.originals_dir).get(result.sha256) == a_rate_table(2020)


def test_a_rate_of_zero_sends_the_table_back_and_converts_nothing(
    ledger: Ledger, reception: Reception
) -> None:
    [result] = submit(reception, a_file("汇率.csv", a_rate_table(2020, rate=0)))
    assert result.verdict is Verdict.REJECTED
    assert rules_of(result, Severity.CRITICAL) == {"D5"}
    assert ledger.department_tables(["DM-3"]) == []


# -- many files --------------------------------------------------------------------------------------


def twelve_enterprises_three_months() -> list[IncomingFile]:
    return [
        a_file(
            f"{month}-{number}.xlsx",
            a_workbook(
                credit_code(number),
                f"2020-{month:02d}",
                [
                    Line(
                        export=100 + month + number,
                        export_ytd=sum(100 + m + number for m in range(1, month + 1)),
                    )
                ],
            ),
            f"2020-{month + 1:02d}-08T09:00",
        )
        for number in range(1, 13)
        for month in (3, 1, 2)
    ]


def test_progress_is_told_from_the_first_file_to_the_last(reception: Reception) -> None:
    told: list[Progress] = []
    files = twelve_enterprises_three_months()
    reception.submit(files, channel="test", received_by="王", progress=told.append)
    assert [step.read_count for step in told][: len(files)] == list(range(1, len(files) + 1))
    assert told[-1] == Progress(len(files), len(files), len(files))


def test_files_are_recorded_in_batches_and_windows_of_any_size(
    ledger: Ledger, reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.reception.door.WINDOW_FILES", 10)
    monkeypatch.setattr("pipelines.reception.door.BATCH_FILES", 4)
    files = twelve_enterprises_three_months()
    results = submit(reception, *files)
    assert [result.name for result in results] == [file.name for file in files]
    assert len(ledger.submissions()) == len(files)
    assert [one.sequence for one in ledger.submissions()] == list(range(1, len(files) + 1))


def _submit_all(data_dir: Path) -> list[tuple[str, str, bool]]:
    settings = Settings(
        data_dir=data_dir, ledger_url=f"sqlite:///{data_dir / 'ledger.sqlite'}", reader_count=1
    )
    with open_ledger(settings.ledger_url) as ledger, Reception(settings, ledger) as reception:
        results = reception.submit(twelve_enterprises_three_months(), channel="test", received_by="王")
    return [(result.name, result.submission_id, result.verdict.value) for result in results]


def test_two_processes_filing_the_same_files_at_once_file_them_once(
    settings: Settings, ledger: Ledger
) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        first, second = pool.map(_submit_all, [settings.data_dir] * 2)
    assert first == second
    found = ledger.submissions()
    assert len(found) == 36
    assert {one.version for one in found} == {1}
    assert [one.sequence for one in found] == list(range(1, 37))


def test_checking_one_file_needs_neither_pandas_nor_dagster(
    tmp_path: Path, settings: Settings, ledger: Ledger
) -> None:
    workbook = tmp_path / "一月.xlsx"
    workbook.write_bytes(january())
    script = f"""
import sys
from pathlib import Path
from pipelines.ledger import open_ledger
from pipelines.reception import IncomingFile, Reception
from pipelines.settings import Settings
if __name__ == "__main__":
    data = Path({str(settings.data_dir)!r})
    settings = Settings(data_dir=data, ledger_url={settings.ledger_url!r}, reader_count=1)
    with open_ledger(settings.ledger_url) as ledger, Reception(settings, ledger, is_short_lived=True) as reception:
        [result] = reception.check([IncomingFile("一月.xlsx", path=Path({str(workbook)!r}))])
    heavy = {{"pandas", "dagster", "great_expectations", "alembic", "openpyxl"}} & set(sys.modules)
    print(result.verdict, sorted(heavy))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "accepted []"


def test_a_number_beyond_all_measure_spoils_only_its_own_file(ledger: Ledger, reception: Reception) -> None:
    giant = a_workbook(E02, "2020-01", [Line(export=1e25, export_ytd="9" * 40)])
    odd = a_workbook("9" * 300, "2020-01", [Line(export=1, export_ytd=1)], name="名\U0001f600" * 50)
    results = submit(
        reception,
        a_file("巨.xlsx", giant),
        a_file("怪\udcff名.xlsx", odd),
        a_file("一月.xlsx", january()),
    )
    assert [result.verdict for result in results] == [Verdict.REJECTED, Verdict.REJECTED, Verdict.ACCEPTED]
    assert len(ledger.submissions()) == 3
