"""What a rule of the verdict asks of single cells, as plain data: the shape between the rules and the blank forms.

The rules (`validation`) make it, the blank forms (`intake.template`) draw it, and neither knows the other. No rule
and no form is here.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.findings import Severity, Wording


@dataclass(frozen=True, slots=True)
class FormLimit:
    """One limit on cells of one form, as a spreadsheet can ask it while the form is filled.

    A cell breaks it where `only_if` holds (empty: always) and `fact` lies outside the bounds, which are allowed
    themselves unless strict; or where it holds one of `forbidden_codes`.

    fields   fields whose cells are judged, each by itself
    label    the rule's, for the person at the form
    fact, only_if   expressions in the language of spreadsheets. {self} is the cell judged, {export} the cell of that
             field in the same row, {item_code:column} that field in all rows, {unit_multiplier} how many currency
             units the declared unit holds
    """

    rule: str
    severity: Severity
    form_code: str
    fields: tuple[str, ...]
    label: Wording
    fact: str = "{self}"
    min_value: float | None = None
    max_value: float | None = None
    is_min_strict: bool = False
    is_max_strict: bool = False
    forbidden_codes: tuple[str, ...] = ()
    only_if: str = ""
