"""What is said of a correction where later months of the year were filed already."""

from __future__ import annotations

from filed_by_hand import Line, a_file, a_workbook, credit_code

from pipelines.findings import Finding, Severity, Verdict
from pipelines.reception import FileResult, IncomingFile, Reception

E01, E02 = credit_code(1), credit_code(2)


def a_return(code: str, month: int, amount: float, since_january: float, **more: object) -> IncomingFile:
    content = a_workbook(code, f"2020-{month:02d}", [Line(export=amount, export_ytd=since_january)], **more)  # type: ignore[arg-type]
    return a_file(f"{code}-{month}.xlsx", content, "2020-06-08T09:00")


def submit(reception: Reception, *files: IncomingFile) -> list[FileResult]:
    return reception.submit(files, channel="test", received_by="王")


def said_of_later_months(result: FileResult) -> list[Finding]:
    return [finding for finding in result.findings if finding.rule == "M6"]


def test_who_corrects_a_month_is_told_which_later_ones_hold_it_in_their_totals(reception: Reception) -> None:
    first = submit(
        reception,
        *[a_return(E01, month, 100 + month, 100 * month + sum(range(month + 1))) for month in (1, 2, 3)],
    )
    assert [result.verdict for result in first] == [Verdict.ACCEPTED] * 3
    correction = a_return(E01, 1, 131, 131, is_revision=True)
    [checked] = reception.check([correction])
    [result] = submit(reception, correction)
    [note] = said_of_later_months(result)
    assert (result.verdict, note.severity, note.given) == (
        Verdict.ACCEPTED,
        Severity.INFO,
        "2020-02, 2020-03",
    )
    assert "2020年2月至2020年3月的报表已经通过" in note.message.zh
    assert "returns for February 2020 to March 2020 are accepted already" in note.message.en
    assert checked.findings == result.findings


def test_nothing_is_said_of_a_first_return_of_the_last_month_or_of_others(reception: Reception) -> None:
    results = submit(
        reception,
        a_return(E01, 1, 101, 101),
        a_return(E02, 2, 102, 102),
        a_return(E01, 1, 131, 131, is_revision=True),
    )
    assert not [finding for result in results for finding in said_of_later_months(result)]
