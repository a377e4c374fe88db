"""The check character of the credit code, computed in SQL, against python-stdnum as oracle."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def verdicts(bureau: Any, codes: list[str]) -> dict[str, bool | None]:
    bureau.connection.execute("delete from raw.submission")
    bureau.connection.execute("delete from raw.return_cell")
    for code in codes:
        bureau.file("2020-03", code=code)
    bureau.build("2020-03")
    rows = bureau.connection.execute(
        "select enterprise_code, is_credit_code_valid from checks.return"
    ).fetchall()
    return dict(rows)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    bases=st.lists(
        st.text(alphabet=ALPHABET, min_size=17, max_size=17), min_size=1, max_size=12, unique=True
    ),
    check=st.sampled_from(ALPHABET),
)
def test_sql_accepts_exactly_the_check_character_of_the_standard(
    bureau: Any, bases: list[str], check: str
) -> None:
    expected = {base + check: uscc.calc_check_digit(base) == check for base in bases}
    expected |= {base + uscc.calc_check_digit(base): True for base in bases}
    assert verdicts(bureau, list(expected)) == expected


@pytest.mark.parametrize(
    "code",
    [
        "9142010000000000",
        "91420100000000001",
        "91420100000000001YY",
        "I1420100000000001Y",
        "91420100000000001y",
        "武" * 18,
    ],
)
def test_other_lengths_and_characters_are_not_valid(bureau: Any, code: str) -> None:
    assert verdicts(bureau, [code]) == {code: False}


def test_a_public_code_is_valid(bureau: Any) -> None:
    assert verdicts(bureau, ["91330100799655058B"]) == {"91330100799655058B": True}


def test_a_code_that_was_not_read_is_not_judged(bureau: Any) -> None:
    assert verdicts(bureau, [""]) == {"": None}
    assert not {rule for rule, _ in bureau.asked("2020-03")} & {"H1a", "H1b"}


def test_a_wrong_code_is_asked_about_once(bureau: Any) -> None:
    bureau.file("2020-03", code="91420100000000001X")
    assert {rule for rule, _ in bureau.asked("2020-03")} == {"H1a"}


def test_sql_and_stdnum_agree_on_right_miscopied_and_swapped_codes(bureau: Any) -> None:
    dice = Random(20)
    codes: dict[str, bool] = {}
    for _ in range(100):
        base = "".join(dice.choice(ALPHABET) for _ in range(17))
        right = base + uscc.calc_check_digit(base)
        place = dice.randrange(17)
        miscopied = right[:place] + dice.choice(ALPHABET.replace(right[place], "")) + right[place + 1 :]
        swapped = right[:place] + right[place + 1] + right[place] + right[place + 2 :]
        for code in (right, miscopied, swapped):
            codes[code] = uscc.calc_check_digit(code[:17]) == code[17]
    assert sum(codes.values()) >= 100
    assert verdicts(bureau, list(codes)) == codes


@pytest.mark.parametrize(
    ("typed", "is_right"),
    [
        ("MA4K00001", True),
        ("MA4K0000-1", True),
        ("ma4k0000 - 1", True),
        ("MA4K00002", False),
        ("MA4K0000", False),
        ("", None),
    ],
)
def test_an_organisation_code_is_characters_9_to_17_of_the_credit_code(
    bureau: Any, typed: str, is_right: bool | None
) -> None:
    bureau.insert(
        "raw.submission",
        submission_id="a",
        kind="return",
        is_current=True,
        enterprise_code="91420100MA4K00001U",
    )
    bureau.insert(
        "raw.enterprise_profile", month_start_date=date(2020, 3, 1), submission_id="a", enterprise_code="91420100MA4K00001U",
        organisation_code=typed,
    )  # fmt: skip
    bureau.build("2020-03")
    [[found]] = bureau.connection.execute(
        "select is_organisation_code_right from checks.enterprise_profile"
    ).fetchall()
    assert found is is_right
