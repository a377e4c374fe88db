"""How the clerks of the synthetic city fill a sheet: steady habits of each, and a mess in one file of three.

None of this is a mistake: a reader that is lenient about shape reads the same figures. Mistakes are in `mistakes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

# A file in three is not plain: it gets one to three of these.
QUIRKS = (
    "comma_text",
    "full_width",
    "trailing_blanks",
    "dashes",
    "percent_text",
    "ellipsis_row",
    "blank_row",
    "row_above_title",
    "row_before_table",
    "column_left",
    "column_middle",
    "hidden_scrap",
    "visible_scrap",
    "moved_sheets",
    "note_right",
    "note_below",
    "period_in_one_cell",
    "period_date_cell",
    "period_hyphen",
    "period_number",
    "head_aliases",
    "renamed_sheets",
    "single_row_head",
)
PLAIN_SHARE = 0.66


@dataclass(frozen=True, slots=True)
class Habits:
    """What an enterprise's clerk always does."""

    item_style: str  # code, or code_name (SI22 其他计算机服务)
    partner_style: str  # name, or code
    font: str
    amount_format: str
    has_sum_formula: bool
    spare_rows: int
    people: tuple[str, str, str]


def habits_of(enterprise_number: int, seed: int) -> Habits:
    """The habits of one enterprise's clerk."""
    rng = Random(f"{seed}/habits/{enterprise_number}")
    return Habits(
        item_style=rng.choices(("code", "code_name"), (85, 15))[0],
        partner_style=rng.choices(("name", "code"), (75, 25))[0],
        font=rng.choice(("宋体", "宋体", "等线", "微软雅黑")),
        amount_format=rng.choice(
            ("#,##0.00", "0.00", "General", '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ', "#,##0.00_ ")
        ),
        has_sum_formula=rng.random() < 0.5,
        spare_rows=rng.choice((0, 0, 2, 5)),
        people=(f"样例{rng.choice('甲乙丙')}", f"样例{rng.choice('丁戊己')}", f"样例{rng.choice('庚辛壬')}"),
    )


def quirks_of(enterprise_number: int, month: str, seed: int) -> frozenset[str]:
    """What is untidy about one file; empty for two files in three."""
    rng = Random(f"{seed}/quirks/{enterprise_number}/{month}")
    if rng.random() < PLAIN_SHARE:
        return frozenset()
    chosen = set(rng.sample(QUIRKS, rng.randint(1, 3)))
    periods = sorted(quirk for quirk in chosen if quirk.startswith("period_"))
    chosen.difference_update(periods[1:])
    if {"comma_text", "full_width"} <= chosen:
        chosen.discard("comma_text")
    return frozenset(chosen)


def in_full_width(text: str) -> str:
    """１，２３４．５０: what an input method left in full-width mode makes of a number."""
    return "".join(
        chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character for character in text
    )
