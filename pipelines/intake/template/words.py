"""The words of blank forms: what all say (`wording.yaml`), and what is said of one form (`guidance/*.yaml`).

A form without guidance gets its explanations from the types of its fields, so that a new layout gives a new sheet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.findings import Wording
from pipelines.intake.layouts import Field, FormLayout
from pipelines.intake.template.orders import InvalidTemplate

_FOLDER = Path(__file__).parent
_GUIDANCE_KEYS = {
    "form",
    "applies_if",
    "due_months",
    "filed",
    "carry",
    "least_rows",
    "example_sheet",
    "fields",
    "notes",
    "example",
}


@dataclass(frozen=True, slots=True)
class FieldGuidance:
    """What one field means, and what might stand in it."""

    text: Wording
    example: str = ""


@dataclass(frozen=True, slots=True)
class Guidance:
    """What is said of one form beside its layout.

    applies_if      flag of the registration form without which the enterprise need not file the form; empty: all file it
    due_months      months with whose return it is due, in place of those of its cadence
    filed           how often it is filed, in words, where its cadence does not say it
    carried_fields  fields that are carried over from the last accepted return
    dropped_if      (field, spellings): rows that are over and are not carried
    least_rows      rows that its table is prepared with when little is carried over
    example_rows    of the worked example, by field; codes for codes
    """

    form_code: str
    applies_if: str = ""
    due_months: tuple[int, ...] | None = None
    filed: Wording | None = None
    carried_fields: tuple[str, ...] | None = None
    dropped_if: tuple[str, frozenset[str]] | None = None
    least_rows: int = 40
    has_example_sheet: bool = False
    fields: Mapping[str, FieldGuidance] | None = None
    notes: tuple[Wording, ...] = ()
    example_rows: tuple[Mapping[str, Any], ...] = ()

    def of(self, field_: Field) -> FieldGuidance:
        """What is said of a field; by its type where the guidance is silent."""
        said = (self.fields or {}).get(field_.name)
        return said if said is not None else FieldGuidance(wording().wording("of_type", field_.type))

    def is_carried(self, field_: Field, layout: FormLayout) -> bool:
        """Whether a field keeps its value from the last accepted return; without guidance what names a row does."""
        if self.carried_fields is not None:
            return field_.name in self.carried_fields
        return field_.name in layout.key_fields and not field_.is_measure


class Words:
    """The texts of wording.yaml by their path. Raises InvalidTemplate for one that is not there."""

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self._entries = entries

    def take(self, *path: str) -> Any:
        found: Any = self._entries
        for name in path:
            if not isinstance(found, Mapping) or name not in found:
                raise InvalidTemplate(f"template/wording.yaml: {'.'.join(path)} is missing. Add it.")
            found = found[name]
        return found

    def text(self, *path: str) -> str:
        return str(self.take(*path))

    def wording(self, *path: str) -> Wording:
        return _wording(self.take(*path), ".".join(path))

    def wordings(self, *path: str) -> tuple[Wording, ...]:
        return tuple(_wording(entry, ".".join(path)) for entry in self.take(*path))


@cache
def wording() -> Words:
    """What every blank form says."""
    return Words(_load(_FOLDER / "wording.yaml"))


@cache
def guidance_of(form_code: str) -> Guidance:
    """What is said of a form; an empty guidance where no file says anything."""
    path = _FOLDER / "guidance" / f"{form_code}.yaml"
    if not path.is_file():
        return Guidance(form_code)
    entries = _load(path)
    unknown = set(entries) - _GUIDANCE_KEYS
    if unknown or entries.get("form") != form_code:
        raise InvalidTemplate(
            f"guidance/{path.name}: {'unknown key ' + sorted(unknown)[0] if unknown else 'form is not ' + form_code}. "
            f"Known keys: {', '.join(sorted(_GUIDANCE_KEYS))}."
        )
    carry = entries.get("carry")
    unless = (carry or {}).get("unless")
    return Guidance(
        form_code=form_code,
        applies_if=str(entries.get("applies_if", "")),
        due_months=tuple(int(month) for month in entries["due_months"]) if "due_months" in entries else None,
        filed=_wording(entries["filed"], f"{path.name}, filed") if "filed" in entries else None,
        carried_fields=tuple(carry["fields"]) if carry is not None else None,
        dropped_if=(str(unless["field"]), frozenset(map(str, unless["is"]))) if unless else None,
        least_rows=int(entries.get("least_rows", 40)),
        has_example_sheet=bool(entries.get("example_sheet", False)),
        fields={
            str(name): FieldGuidance(
                # whatever is left over is refused: a comma outside quotation marks makes half a sentence a key
                _wording(
                    {key: text for key, text in said.items() if key != "example"}, f"{path.name}, {name}"
                ),
                str(said.get("example", "")),
            )
            for name, said in entries.get("fields", {}).items()
        },
        notes=tuple(_wording(note, f"{path.name}, notes") for note in entries.get("notes", ())),
        example_rows=tuple(entries.get("example", ())),
    )


def _wording(entry: Any, place: str) -> Wording:
    if not isinstance(entry, Mapping) or set(entry) != {"zh", "en"}:
        raise InvalidTemplate(f"{place}: must have zh and en. Write both.")
    return Wording(str(entry["zh"]), str(entry["en"]))


def _load(path: Path) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with path.open(encoding="utf-8") as file:
        loaded = yaml.load(file, Loader=loader)  # noqa: S506  both loaders are the safe ones
    if not isinstance(loaded, dict):
        raise InvalidTemplate(f"{path.name}: expected keys and values at the top.")
    return loaded
