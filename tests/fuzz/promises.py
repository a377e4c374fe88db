"""What the reader promises of any bytes whatever; the fuzzer looks for an input that breaks it, a test replays those kept."""

from __future__ import annotations

import hashlib
import re

from pipelines.findings import Severity
from pipelines.intake import transport
from pipelines.intake.reader import parsed_file, read
from pipelines.records import FileKind, ParsedFile

_LEFT_OVER = re.compile(r"\{[a-z_]+\}")
FILE_NAMES = ("报表.xlsx", "部门数据.csv")


def keep_promises(content: bytes) -> None:
    """Read the bytes as a workbook and as a text table: no exception, and an answer that a person can use."""
    sha256 = hashlib.sha256(content).hexdigest()
    for name in FILE_NAMES:
        reading = read(name, content)
        parsed = parsed_file(sha256, reading)
        _check(parsed, name)
        # a child hands on what it has read, and nothing of it may change on the way
        assert transport.decode(transport.encode(sha256, reading)) == parsed, (
            f"{name}: what was read does not travel"
        )


def _check(parsed: ParsedFile, name: str) -> None:
    if parsed.is_unreadable:
        assert parsed.cells == (), f"{name}: unreadable, and yet {len(parsed.cells)} cells"
        assert [finding.severity for finding in parsed.findings] == [Severity.CRITICAL], name
    else:
        assert parsed.kind is not FileKind.UNKNOWN, f"{name}: readable, and nobody knows as what"
    for finding in parsed.findings:
        assert f"〔{finding.rule}〕" in finding.message.zh, finding
        assert f"[{finding.rule}]" in finding.message.en, finding
        # A brace that the clerk typed is quoted; one of ours would stand in both languages.
        ours = set(_LEFT_OVER.findall(finding.message.zh)) & set(_LEFT_OVER.findall(finding.message.en))
        assert all(brace in finding.given for brace in ours), f"a placeholder was left over: {finding}"
    for cell in parsed.cells:
        assert cell.cell, cell
        assert cell.row_number >= 1, cell


def answer_to(content: bytes) -> tuple[frozenset[str], ...]:
    """By which findings, fixes and forms two inputs differ for a person; what tells one kept input from another."""
    answers = []
    for name in FILE_NAMES:
        parsed = parsed_file("", read(name, content))
        answers.append(frozenset({finding.rule for finding in parsed.findings} | set(parsed.form_codes)))
    return tuple(answers)
