"""Form layouts: what a form looks like, as dated data in `layouts/*.yaml`.

A bureau adds a form, or a new version of one, by adding a file; README.md beside the layouts says how. Here
they are loaded once, checked with errors that name the file and the remedy, and chosen by form and period.
Reading a sheet with a layout is `parse`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from pipelines.findings import Wording
from pipelines.intake.values import label_key
from pipelines.money import UNITS
from pipelines.paths import LAYOUTS_DIR
from pipelines.periods import InvalidPeriod, Month, Period, PeriodKind
from pipelines.records import FileKind

FieldType = Literal[
    "number",
    "percent",
    "text",
    "identifier",
    "code",
    "choice",
    "flag",
    "date",
    "period",
    "day_or_period",
    "unit",
]
FIELD_TYPES: tuple[str, ...] = (
    "number", "percent", "text", "identifier", "code", "choice", "flag", "date", "period", "day_or_period", "unit"
)  # fmt: skip
Cadence = Literal["month", "quarter", "half_year", "year", "event"]
# How often a form is filed, and the kind of period its figures are of. A form filed on an event speaks of the
# month of its workbook; its rows carry the days.
OWN_PERIOD_OF_CADENCE: Mapping[str, PeriodKind | None] = {
    "month": None, "quarter": "quarter", "half_year": "half_year", "year": "year", "event": None
}  # fmt: skip
CODE_LISTS = ("item", "partner", "district", "industry", "currency", "form")


class InvalidLayout(ValueError):
    """A layout file cannot be used; whoever wrote it must mend it. The message names file, field and remedy."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form: where it stands (labels), what may stand in it (type) and what must.

    labels   keys under which its label is found; for a column also `parent/child` of a two-row head
    words    every single label and parent, to tell a head row by
    is_required       its column (or head label) must be there, and on a row with an amount the cell too
    is_measure        a row counts only if one of its measures is filled
    negative_is_debit a negative figure is the sign convention of balance of payments, read as positive
    choices           spelling -> code; of a code field, spellings that its code list has not
    name_field        the column with the name beside the code: reads a blank code, and contradicts a wrong one
    alternative       the column that may stand in its place (month or day)
    optional_if       (field, code): the cell may be blank on a row where that field has that code
    text_field        where a cell without a single digit goes instead of being a number that cannot be read
    printed           its head as a blank form prints it, from top to bottom: (出口, 本月), or (服务项目代码,)
    words_of_codes    of a choice, code -> the word for it on a blank form, in the order of the layout
    """

    name: str
    label: Wording
    labels: tuple[str, ...]
    words: tuple[str, ...]
    parents: tuple[str, ...]
    type: FieldType
    code_list: str = ""
    choices: Mapping[str, str] | None = None
    is_required: bool = False
    is_measure: bool = False
    negative_is_debit: bool = False
    name_field: str = ""
    text_field: str = ""
    alternative: str = ""
    optional_if: tuple[str, str] | None = None
    strip: re.Pattern[str] | None = None
    label_pattern: re.Pattern[str] | None = None
    printed: tuple[str, ...] = ()
    words_of_codes: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TextFact:
    """A head field that a form states in running text: where the pattern is found, the field has the value."""

    field: str
    pattern: re.Pattern[str]
    value: str


@dataclass(frozen=True, slots=True)
class SkippedRows:
    """Rows that belong to the table and are no figures (targets among actuals): the reason is a key of `fixes`."""

    field: str
    pattern: re.Pattern[str]
    fix: str


@dataclass(frozen=True, slots=True)
class FormLayout:
    """One version of one form.

    A form is either `pairs` (label and value side by side, no table) or has `columns`. `column_index` takes the
    key of a head path (`服务项目代码`, `出口/本月`) to the field.
    """

    form_code: str
    version: str
    kind: FileKind
    cadence: Cadence
    title: Wording
    names: tuple[str, ...]
    codes: tuple[str, ...]
    valid_from: Month
    valid_until: Month | None
    head: tuple[Field, ...]
    pairs: tuple[Field, ...]
    columns: tuple[Field, ...]
    units: tuple[str, ...]
    other_units: Mapping[str, str]  # key of a unit that is no money -> the unit as it is kept
    text_facts: tuple[TextFact, ...]
    skipped_rows: tuple[SkippedRows, ...]
    key_fields: tuple[str, ...]
    is_repeatable: bool
    needs_rows_or_zero: bool
    column_index: Mapping[str, Field]
    head_words: frozenset[str]
    child_words: frozenset[str]
    parent_words: frozenset[str]
    patterned_columns: tuple[Field, ...]
    path: str

    @property
    def required_columns(self) -> tuple[Field, ...]:
        """Columns without which the table cannot be read."""
        return tuple(field for field in self.columns if field.is_required)

    @property
    def own_period_kind(self) -> PeriodKind | None:
        """Kind of the period that its figures are of, where that is not the month of the workbook."""
        return OWN_PERIOD_OF_CADENCE[self.cadence] if self.columns else None

    def is_valid_for(self, period: Period) -> bool:
        """Whether this version was in force in the period's last month."""
        return self.valid_from <= period.last and (
            self.valid_until is None or period.last <= self.valid_until
        )

    def head_field(self, name: str) -> Field | None:
        """The head field of a name, if the form has it."""
        return next((field for field in self.head if field.name == name), None)


@dataclass(frozen=True, slots=True)
class General:
    """What holds for every form: words that end a table, mark totals, or name sheets that are no forms."""

    not_forms: frozenset[str]
    totals: frozenset[str]
    subtotals: frozenset[str]
    notes: tuple[str, ...]
    ends: tuple[str, ...]
    rulers: frozenset[str]
    ignored_columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class LayoutBook:
    """All layouts, and indexes over them to recognise a sheet by."""

    layouts: tuple[FormLayout, ...]
    general: General
    by_form: Mapping[str, tuple[FormLayout, ...]]
    form_of_code: Mapping[str, str]
    form_of_name: Mapping[str, str]
    head_index: Mapping[str, str]  # key of a head or pair label -> field name, over all forms
    head_words: frozenset[str]  # words of the column heads of all forms

    def versions(self, form_code: str) -> tuple[FormLayout, ...]:
        """Every version of a form, the newest last."""
        return self.by_form.get(form_code, ())


def choose_layout(book: LayoutBook, form_code: str, period: Period | None) -> tuple[FormLayout, ...]:
    """The versions of a form that were in force in a period; all of the newest day if the period is unknown.

    Usually one. More than one where a table comes in several shapes at the same time (DM-6): the parser takes
    the one whose columns are there. Empty if no version was in force.
    """
    versions = book.versions(form_code)
    if period is not None:
        return tuple(layout for layout in versions if layout.is_valid_for(period))
    open_ended = tuple(layout for layout in versions if layout.valid_until is None)
    return open_ended or versions[-1:]


_WORKBOOK_PERIODS = ("month", "months_1_2")
_EXAMPLE_OF_CADENCE = {
    "month": "2026年3月", "event": "2026年3月", "quarter": "2026年第一季度", "half_year": "2026年上半年", "year": "2025年"
}  # fmt: skip


def admits(layout: FormLayout, period: Period) -> bool:
    """Whether a form may give this kind of period: the month of its workbook, or the kind its figures are of.

    A form of pairs describes the enterprise and a department's table has periods in its rows: any will do.
    """
    if layout.kind is not FileKind.RETURN or not layout.columns:
        return True
    return period.kind in _WORKBOOK_PERIODS or period.kind == layout.own_period_kind


def example_of_period(layout: FormLayout) -> str:
    """A period as the form wants it written."""
    return _EXAMPLE_OF_CADENCE[layout.cadence]


@cache
def layout_book(folder: Path = LAYOUTS_DIR) -> LayoutBook:
    """All layouts of a folder. Raises InvalidLayout naming the file and what is wrong with it."""
    files = sorted(folder.glob("*.yaml"))
    shared = _Reader(folder / "general.yaml", _load(folder / "general.yaml"))
    general = _general(shared)
    heads = {name: tuple(_fields(shared, entries)) for name, entries in shared.mapping("heads").items()}
    shared.finish()
    layouts = [_layout(path, _load(path), heads) for path in files if path.name != "general.yaml"]
    if not layouts:
        raise InvalidLayout(f"{folder}: no layout found. Add one file per form and version.")
    layouts.sort(key=lambda layout: (layout.form_code, layout.valid_from, layout.version))
    by_form: dict[str, tuple[FormLayout, ...]] = {}
    for layout in layouts:
        by_form[layout.form_code] = (*by_form.get(layout.form_code, ()), layout)
    return LayoutBook(
        layouts=tuple(layouts),
        general=general,
        by_form=by_form,
        form_of_code=_unique(layouts, lambda layout: layout.codes, "codes"),
        form_of_name=_unique(layouts, lambda layout: layout.names, "names"),
        head_index=_head_index(layouts),
        head_words=frozenset().union(*(layout.head_words for layout in layouts)),
    )


def _unique(layouts: Iterable[FormLayout], keys: Any, what: str) -> dict[str, str]:
    index: dict[str, str] = {}
    for layout in layouts:
        for key in keys(layout):
            if index.setdefault(key, layout.form_code) != layout.form_code:
                raise InvalidLayout(
                    f"{layout.path}: {what} lists {key!r}, which {index[key]} has too. Rename one."
                )
    return index


def _head_index(layouts: Iterable[FormLayout]) -> dict[str, str]:
    index: dict[str, str] = {}
    for layout in layouts:
        for field in (*layout.head, *layout.pairs):
            for key in field.labels:
                if index.setdefault(key, field.name) != field.name:
                    raise InvalidLayout(
                        f"{layout.path}: label {key!r} of {field.name} means {index[key]} elsewhere. Rename one."
                    )
    return index


def _load(path: Path) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with path.open(encoding="utf-8") as file:
            loaded = yaml.load(file, Loader=loader)  # noqa: S506  both loaders are the safe ones
    except FileNotFoundError:
        raise InvalidLayout(f"{path}: not found. Every folder of layouts needs it.") from None
    except yaml.YAMLError as problem:
        raise InvalidLayout(f"{path}: not YAML: {problem}") from None
    if not isinstance(loaded, dict):
        raise InvalidLayout(f"{path}: expected keys and values at the top.")
    return loaded


class _Reader:
    """Takes the keys of one mapping out one by one; a key left over is a mistake in the file."""

    def __init__(self, path: Path | str, entries: dict[str, Any], where: str = "") -> None:
        self.path = path
        self.entries = dict(entries)
        self.where = where

    def fail(self, problem: str) -> InvalidLayout:
        return InvalidLayout(f"{self.path}: {self.where + ': ' if self.where else ''}{problem}")

    def take(self, key: str, default: Any = None) -> Any:
        value = self.entries.pop(key, default)
        return default if value is None else value

    def need(self, key: str) -> Any:
        value = self.entries.pop(key, None)
        if value is None:
            raise self.fail(f"{key} is missing. Add it.")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        value = self.need(key) if default is None else self.take(key, default)
        return str(value)

    def flag(self, key: str) -> bool:
        value = self.take(key, False)
        if not isinstance(value, bool):
            raise self.fail(f"{key} is {value!r}; expected true or false.")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.take(key, [])
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list):
            raise self.fail(f"{key} must be a list.")
        return tuple(str(one) for one in value)

    def keys(self, key: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(label_key(text) for text in self.texts(key)))

    def mapping(self, key: str) -> dict[str, Any]:
        value = self.take(key, {})
        if not isinstance(value, dict):
            raise self.fail(f"{key} must be keys and values.")
        return {str(name): held for name, held in value.items()}

    def wording(self, key: str) -> Wording:
        value = self.need(key)
        if not isinstance(value, dict) or set(value) != {"zh", "en"}:
            raise self.fail(f"{key} must have zh and en.")
        return Wording(str(value["zh"]), str(value["en"]))

    def pattern(self, key: str) -> re.Pattern[str] | None:
        value = self.take(key)
        if value is None:
            return None
        try:
            return re.compile(str(value))
        except re.error as problem:
            raise self.fail(f"{key} {value!r} is no regular expression: {problem}") from None

    def month(self, key: str) -> Month | None:
        value = self.take(key)
        if value is None:
            return None
        try:
            return Month.parse(str(value))
        except InvalidPeriod:
            raise self.fail(f"{key} is {value!r}; write it as 2016-01.") from None

    def finish(self) -> None:
        if self.entries:
            raise self.fail(f"unknown key {', '.join(sorted(self.entries))}. Remove it or mend its spelling.")


def _general(reader: _Reader) -> General:
    return General(
        not_forms=frozenset(reader.keys("not_forms")),
        totals=frozenset(reader.keys("totals")),
        subtotals=frozenset(reader.keys("subtotals")),
        notes=reader.keys("notes"),
        ends=reader.keys("ends"),
        rulers=frozenset(reader.keys("rulers")),
        ignored_columns=frozenset(reader.keys("ignored_columns")),
    )


def _layout(path: Path, entries: dict[str, Any], heads: Mapping[str, tuple[Field, ...]]) -> FormLayout:
    reader = _Reader(path.name, entries)
    form_code = reader.text("form")
    reader.where = form_code
    kind = reader.text("kind")
    if kind not in (FileKind.RETURN.value, FileKind.DEPARTMENT.value):
        raise reader.fail(f"kind is {kind!r}; expected return or department.")
    cadence = reader.text("cadence", "month")
    if cadence not in OWN_PERIOD_OF_CADENCE:
        raise reader.fail(f"cadence is {cadence!r}; expected one of {', '.join(OWN_PERIOD_OF_CADENCE)}.")
    if cadence != "month" and kind != FileKind.RETURN.value:
        raise reader.fail("cadence is for returns; the rows of a department's table carry their own periods.")
    head_name = reader.text("head")
    if head_name not in heads:
        raise reader.fail(f"head is {head_name!r}; general.yaml has {', '.join(heads)}.")
    required = set(reader.texts("required_head"))
    unknown = required - {field.name for field in heads[head_name]}
    if unknown:
        raise reader.fail(
            f"required_head names {', '.join(sorted(unknown))}, which head {head_name} has not."
        )
    head = tuple(_with_required(field) if field.name in required else field for field in heads[head_name])
    columns = tuple(_fields(reader, reader.take("columns", [])))
    pairs = tuple(_fields(reader, reader.take("pairs", [])))
    if bool(columns) == bool(pairs):
        raise reader.fail("a form has either columns (a table) or pairs (label and value). Give one of them.")
    units = reader.texts("units")
    for unit in units:
        if unit not in UNITS:
            raise reader.fail(f"units lists {unit!r}, which pipelines/money.py has not.")
    valid_from = reader.month("valid_from")
    if valid_from is None:
        raise reader.fail("valid_from is missing. Write it as 2016-01.")
    title = reader.wording("title")
    layout = FormLayout(
        form_code=form_code,
        version=reader.text("version"),
        kind=FileKind(kind),
        cadence=cadence,  # type: ignore[arg-type]  # one of OWN_PERIOD_OF_CADENCE, checked above
        title=title,
        names=tuple(dict.fromkeys((label_key(title.zh), label_key(title.en), *reader.keys("names")))),
        codes=tuple(
            dict.fromkeys((form_key(form_code), *(form_key(code) for code in reader.texts("codes"))))
        ),
        valid_from=valid_from,
        valid_until=reader.month("valid_until"),
        head=head,
        pairs=pairs,
        columns=columns,
        units=units,
        other_units=_other_units(reader, columns),
        text_facts=tuple(_text_facts(reader)),
        skipped_rows=tuple(_skipped_rows(reader)),
        key_fields=reader.texts("key"),
        is_repeatable=reader.flag("repeatable"),
        needs_rows_or_zero=reader.flag("rows_or_zero"),
        column_index=_column_index(reader, columns),
        head_words=frozenset(word for field in columns for word in field.words),
        child_words=frozenset(
            word for field in columns if field.parents for word in field.words if word not in field.parents
        ),
        parent_words=frozenset(parent for field in columns for parent in field.parents),
        patterned_columns=tuple(field for field in columns if field.label_pattern is not None),
        path=path.name,
    )
    for name in layout.key_fields:
        if all(field.name != name for field in columns):
            raise reader.fail(f"key names {name!r}, which no column has.")
    reader.finish()
    return layout


def _other_units(reader: _Reader, columns: Iterable[Field]) -> Mapping[str, str]:
    """Units of counts and shares that a head may give where rows carry units of their own."""
    texts = reader.texts("other_units")
    if texts and all(field.name != "unit" for field in columns):
        raise reader.fail(
            "other_units is for tables whose rows have a column unit. Remove it, or add the column."
        )
    return {label_key(text): text for text in texts}


def form_key(text: str) -> str:
    """A form number without what people add to it: 表号：FM-2表, fm 2 and ＦＭ—２ are one."""
    return label_key(text).replace("-", "").removesuffix("表").upper()


def _with_required(field: Field) -> Field:
    from dataclasses import replace

    return replace(field, is_required=True)


def _fields(reader: _Reader, entries: Any) -> Iterable[Field]:
    if not isinstance(entries, list):
        raise reader.fail("fields must be a list, one entry a field.")
    seen: set[str] = set()
    for entry in entries:
        if not isinstance(entry, dict):
            raise reader.fail(f"{entry!r} is no field; expected field, label, labels, type.")
        inner = _Reader(reader.path, {str(key): value for key, value in entry.items()}, reader.where)
        field = _field(inner)
        if field.name in seen:
            raise inner.fail(f"{field.name} stands twice. Remove one.")
        seen.add(field.name)
        yield field


def _field(reader: _Reader) -> Field:
    name = reader.text("field")
    reader.where = f"{reader.where}, {name}" if reader.where else name
    type_name = reader.text("type")
    if type_name not in FIELD_TYPES:
        raise reader.fail(f"type is {type_name!r}; expected one of {', '.join(FIELD_TYPES)}.")
    code_list = reader.text("list", "")
    if (type_name == "code") != bool(code_list) or (code_list and code_list not in CODE_LISTS):
        raise reader.fail(f"a code needs list, one of {', '.join(CODE_LISTS)}; nothing else may have it.")
    spellings_of = {
        code: (code, *([spellings] if isinstance(spellings, str) else spellings))
        for code, spellings in reader.mapping("choices").items()
    }
    choices = {
        label_key(spelling): code for code, spellings in spellings_of.items() for spelling in spellings
    }
    if bool(choices) != (type_name == "choice") and not (choices and type_name == "code"):
        raise reader.fail("a choice needs choices (code: [spellings]); besides it only a code may have them.")
    label = reader.wording("label")
    printed = tuple(
        str(texts[0] if isinstance(texts, list) else texts)
        for texts in (reader.entries.get("under"), reader.entries.get("labels") or label.zh)
        if texts
    )
    own = reader.keys("labels") or (label_key(label.zh), label_key(label.en))
    parents = reader.keys("under")
    flat = reader.keys("flat")
    labels = tuple(f"{parent}/{child}" for parent in parents for child in own) if parents else own
    field = Field(
        name=name,
        label=label,
        labels=(*labels, *flat),
        words=tuple(dict.fromkeys((*parents, *own, *flat))),
        parents=parents,
        type=type_name,  # type: ignore[arg-type]  # one of FIELD_TYPES, checked above
        code_list=code_list,
        choices=choices or None,
        is_required=reader.flag("required"),
        is_measure=reader.flag("measure"),
        negative_is_debit=reader.flag("negative_is_debit"),
        name_field=reader.text("name_field", ""),
        text_field=reader.text("text_field", ""),
        alternative=reader.text("or", ""),
        optional_if=_condition(reader),
        strip=reader.pattern("strip"),
        label_pattern=reader.pattern("label_pattern"),
        printed=printed,
        # a code in capitals says more than its first name: ITO, and not 信息技术外包
        words_of_codes={
            code: code if code.isupper() else next(iter(spellings[1:]), code)
            for code, spellings in spellings_of.items()
        }
        or None,
    )
    reader.finish()
    return field


def _condition(reader: _Reader) -> tuple[str, str] | None:
    entries = reader.mapping("optional_if")
    if not entries:
        return None
    if set(entries) != {"field", "is"}:
        raise reader.fail("optional_if must have field and is.")
    return str(entries["field"]), str(entries["is"])


def _column_index(reader: _Reader, columns: tuple[Field, ...]) -> dict[str, Field]:
    index: dict[str, Field] = {}
    for field in columns:
        for key in field.labels:
            if index.setdefault(key, field) is not field:
                raise reader.fail(f"label {key!r} belongs to {index[key].name} and {field.name}. Keep one.")
    return index


def _text_facts(reader: _Reader) -> Iterable[TextFact]:
    for entry in reader.take("stated_in_text", []):
        inner = _Reader(reader.path, entry, f"{reader.where}, stated_in_text")
        pattern = inner.pattern("pattern")
        if pattern is None:
            raise inner.fail("pattern is missing.")
        yield TextFact(inner.text("field"), pattern, inner.text("value"))
        inner.finish()


def _skipped_rows(reader: _Reader) -> Iterable[SkippedRows]:
    for entry in reader.take("skip_rows", []):
        inner = _Reader(reader.path, entry, f"{reader.where}, skip_rows")
        pattern = inner.pattern("pattern")
        if pattern is None:
            raise inner.fail("pattern is missing.")
        yield SkippedRows(inner.text("field"), pattern, inner.text("fix"))
        inner.finish()
