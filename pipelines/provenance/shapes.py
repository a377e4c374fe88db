"""What an explanation consists of: the printed cell, where it is computed, and the parts with their leaves.

No query and no wording for the terminal here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pipelines.findings import Wording
from pipelines.periods import Month

Rounding = Literal["half_up", "largest_remainder"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One cell (or one return, for counts; or one reference value) and what it contributes.

    `amount` is the contribution in the unit of its part, signed; `line_amount` the whole line before a share of
    it was taken. `rate` is units of the part's currency per unit declared, 1 where they are the same, None where
    nothing was converted. `is_traced`: cell x unit x rate is `line_amount` to the last digit.
    """

    month_start_date: date | None
    amount: Decimal
    line_amount: Decimal
    line_id: str | None
    submission_id: str | None
    form_code: str | None
    sheet: str | None
    cell: str | None
    file_name: str | None
    sha256: str | None
    version: int | None
    enterprise_code: str | None
    enterprise_name: str | None
    department: str | None
    flow: str | None
    item_code: str | None
    partner_code: str | None
    text: str | None
    unit_code: str | None
    unit: Wording | None
    rate: Decimal | None
    share_pct: Decimal | None
    basis: str | None
    is_traced: bool

    @property
    def filer(self) -> str:
        """Who gave it: the enterprise, the department, or nothing for a reference value."""
        return self.enterprise_name or self.enterprise_code or self.department or ""


@dataclass(frozen=True, slots=True)
class Part:
    """One sum in a figure, with its leaves, largest first: all of them counted, `leaves` those shown.

    `expected` is what the indicator says, `total` what the leaves add up to. `untraced_count` leaves could not
    be followed to a cell that gives their amount.
    """

    role: Wording
    table: str
    column: str
    first: Month | None
    last: Month | None
    unit: Wording
    expected: Decimal
    total: Decimal
    leaf_count: int
    untraced_count: int
    leaves: tuple[Leaf, ...]
    zero_return_count: int = 0

    @property
    def difference(self) -> Decimal:
        return self.total - self.expected

    @property
    def is_exact(self) -> bool:
        return self.difference == 0 and self.untraced_count == 0


@dataclass(frozen=True, slots=True)
class Step:
    """One place on the way from print to leaf: a column of a table of the warehouse, in one row of it."""

    table: str
    column: str
    value: Decimal | None
    row: Mapping[str, Any]
    sql_file: str
    method_page: str


@dataclass(frozen=True, slots=True)
class Figure:
    """An unrounded figure: how it is computed, and from which parts.

    `recomputed` is the same computed here from the parts; a figure stored as double may differ from it by what a
    double cannot hold, never by more (`agrees`).
    """

    value: Decimal
    unit: Wording
    recomputed: Decimal
    agrees: bool
    formula: Wording
    steps: tuple[Step, ...]
    parts: tuple[Part, ...]
    notes: tuple[Wording, ...] = ()

    @property
    def is_exact(self) -> bool:
        return self.agrees and all(part.is_exact for part in self.parts)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A printed cell explained. Without a figure, `notes` say why there is none.

    `printed_value` is in the printed unit; `figure.value / per` rounded by `rounding` to `decimals` must be it.
    `snapshot_value` is what the snapshot's publication table holds; another one means that the draft is older
    or younger than the snapshot.
    """

    table: str
    month: Month
    row_code: str
    row_label: Wording
    column_code: str
    column_label: Wording
    table_title: Wording
    printed: Wording
    printed_value: Decimal | None
    snapshot_agrees: bool
    unit: Wording
    decimals: int
    rounding: Rounding
    per: int
    publication: Step
    figure: Figure | None
    printed_agrees: bool
    snapshot: str
    draft_id: str
    notes: tuple[Wording, ...] = field(default=())

    @property
    def adds_up(self) -> bool:
        """Every claim holds: leaves make the parts, parts the figure, the figure the print."""
        return self.snapshot_agrees and self.printed_agrees and (self.figure is None or self.figure.is_exact)
