"""A share up to 1 may be a fraction where per cent was asked (Q15); what says per cent itself is believed."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("share", "typed", "is_asked"),
    [
        ("0.95", "0.95", True),
        ("1", "1", True),
        ("0", "0", False),
        ("1.01", "1.01", False),
        ("0.5", "0.5%", False),
        ("0.5", "0.5％", False),
        ("..", "..", False),
    ],
)
def test_a_share_up_to_one_is_asked_about_unless_it_says_per_cent(
    bureau: Any, share: str, typed: str, is_asked: bool
) -> None:
    bureau.file("2020-04", f"item | partner | export | export_remote\nSJ35 | USA | 5 | {share}")
    bureau.connection.execute(
        "update raw.return_cell set text = ? where field = 'export_remote_share_pct'", [typed]
    )
    assert (("Q15", "H11") in bureau.asked("2020-04")) == is_asked


def test_the_question_gives_both_readings(bureau: Any) -> None:
    bureau.file("2020-04", "item | partner | export | related\nSJ35 | USA | 5 | 0.07")
    [found] = bureau.findings("2020-04")
    assert "是 0.07% 还是 7%？" in found.message.zh
    assert "Is it 0.07 % or 7 %?" in found.message.en
