"""The rule book: `expectations/<layer>/<table>.yaml` read into `Rule`, strictly.

A rule judges columns of one table and never computes: facts it needs are columns of a `sql/checks/` query.
Judging is in `judge` (SQL) and `suite` (Great Expectations), wording in `messages`; neither is here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

import yaml

from pipelines.findings import Severity, Wording
from pipelines.paths import EXPECTATIONS_DIR

Level = Literal["return", "table"]
Scalar = bool | int | float | str

# Facts about a return look back this many months of accepted returns (same month last year, twelve
# non-zero months): who builds checks.* for a month has these months of raw tables and rates beside it.
HISTORY_MONTH_COUNT = 12

# What each supported expectation takes: argument -> is it required. A Great Expectations name outside this
# list has no SQL twin and is refused when the book is read.
EXPECTATIONS: Mapping[str, Mapping[str, bool]] = MappingProxyType(
    {
        "expect_column_values_to_be_between": {
            "column": True,
            "min_value": False,
            "max_value": False,
            "strict_min": False,
            "strict_max": False,
        },
        "expect_column_values_to_be_in_set": {"column": True, "value_set": True},
        "expect_column_values_to_not_be_in_set": {"column": True, "value_set": True},
        "expect_column_values_to_be_null": {"column": True},
        "expect_column_values_to_not_be_null": {"column": True},
        "expect_compound_columns_to_be_unique": {"column_list": True},
        "expect_table_row_count_to_be_between": {"min_value": False, "max_value": False},
    }
)

_FILE_KEYS = {"table": True, "level": True, "keys": True, "rules": True}
_RULE_KEYS = {
    "id": True,
    "severity": True,
    "label": True,
    "help": True,
    "expect": True,
    "with": True,
    "when": False,
    "yields_to": False,
    "where": False,
    "given": False,
    "expected": False,
    "message": False,
    "explained_by": False,
    "explanation_covers": False,
}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TABLE = re.compile(r"[a-z]+\.[a-z][a-z0-9_]*")
_RULE_ID = re.compile(r"[A-Z][A-Za-z0-9_]*")  # also a Dagster check name, hence ASCII without punctuation
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)(?::([^{}]*))?\}")


# libyaml reads the forty rule files eight times as fast; the door waits for them.
_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class InvalidRule(ValueError):
    """A rule file cannot be used; the message names the file, the thing and the remedy (for who wrote it)."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Rows outside it are not judged by the rule (a floor below which a ratio says nothing)."""

    column: str
    min_value: float | None
    max_value: float | None


@dataclass(frozen=True, slots=True)
class Where:
    """Which columns of the fact table say where in the workbook the figure stands."""

    form: str = "form_code"
    sheet: str = "sheet"
    cell: str = "cell"


@dataclass(frozen=True, slots=True)
class ExplanationCover:
    """What else an accepted explanation answers: later queries of the rule on the same business key with the same facts.

    `facts` are columns of the fact table that must read as they did when it was explained; none means the value
    given, so that only the same figure filed again is covered. `months` after the month explained it holds for.
    """

    facts: tuple[str, ...] = ()
    months: int = HISTORY_MONTH_COUNT


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing asked of every row of one table.

    `yields_to`     rules of the same table; where one of them fires on a row, this one keeps silent, so that
                    a clerk is asked one question about one cell
    `explained_by`  column with the clerk's own words; a warning on a row where it is filled becomes info, unless the
                    table's column `is_<column>_as_before` says that they stood there last time
    `keys`          columns that name a failing row to a person
    `given`, `expected`, `message`  templates over the row's columns; see `messages`
    `explanation_covers`  for which later queries an explanation given once also holds
    """

    id: str
    severity: Severity
    table: str
    level: Level
    keys: tuple[str, ...]
    label: Wording
    help: Wording
    expectation: str
    arguments: Mapping[str, Any]
    when: Condition | None = None
    yields_to: tuple[str, ...] = ()
    where: Where = Where()
    given: str = ""
    expected: str = ""
    message: Wording | None = None
    explained_by: str = ""
    explanation_covers: ExplanationCover = ExplanationCover()

    @property
    def judged_columns(self) -> tuple[str, ...]:
        """Columns whose values decide, the condition's included; empty for a rule on the row count."""
        columns: list[str] = list(self.arguments.get("column_list", ()))
        if "column" in self.arguments:
            columns.append(self.arguments["column"])
        if self.when is not None:
            columns.append(self.when.column)
        return tuple(dict.fromkeys(columns))

    @property
    def worded_columns(self) -> tuple[str, ...]:
        """Names that its templates use; a name `unit` may stand for the columns unit_zh and unit_en."""
        texts = [self.given, self.expected]
        if self.message is not None:
            texts += [self.message.zh, self.message.en]
        return tuple(dict.fromkeys(match[1] for text in texts for match in PLACEHOLDER.finditer(text)))


@dataclass(frozen=True, slots=True)
class RuleTable:
    """The rules of one table, in the order of their file."""

    table: str
    level: Level
    keys: tuple[str, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules in force, and the hash that a release and a verdict carry to say which rules those were."""

    tables: tuple[RuleTable, ...]
    content_hash: str

    def __iter__(self) -> Iterator[Rule]:
        for table in self.tables:
            yield from table.rules

    def of_level(self, level: Level) -> tuple[RuleTable, ...]:
        """Tables whose rules judge single returns (`return`) or whole tables (`table`)."""
        return tuple(table for table in self.tables if table.level == level)

    def of_table(self, table: str) -> tuple[Rule, ...]:
        """The rules of one table; none if it has no rule file."""
        return tuple(rule for rule in self if rule.table == table)

    def rule(self, rule_id: str) -> Rule:
        """One rule by id. Raises KeyError if there is none."""
        for rule in self:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)


@lru_cache(maxsize=4)
def rule_book(folder: Path = EXPECTATIONS_DIR) -> RuleBook:
    """Read every `<folder>/<layer>/<table>.yaml`. Files directly in the folder are not rules of tables.

    Raises InvalidRule naming file, rule and remedy; a book with one faulty rule is not used at all.
    """
    tables: list[RuleTable] = []
    seen: dict[str, str] = {}
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*/*.yaml")):
        name = f"expectations/{path.relative_to(folder).as_posix()}"
        content = path.read_bytes()
        digest.update(name.encode())
        digest.update(b"\0")
        digest.update(content)
        digest.update(b"\0")
        table = _read_table(name, content)
        if table.table != f"{path.parent.name}.{path.stem}":
            raise InvalidRule(
                f"{name}: table is {table.table}, by its place it should be {path.parent.name}.{path.stem}. "
                "Move the file or change `table`."
            )
        for rule in table.rules:
            if rule.id in seen:
                raise InvalidRule(
                    f"{name}: rule {rule.id} is already defined in {seen[rule.id]}. Give one of them another id."
                )
            seen[rule.id] = name
        tables.append(table)
    return RuleBook(tuple(tables), digest.hexdigest())


def with_superiors(rules: Sequence[Rule]) -> list[Rule]:
    """The rules and, from the book, those to which they yield: precedence must not depend on what is asked."""
    known = {rule.id: rule for rule in rules}
    for rule in rules:
        for other in rule.yields_to:
            if other not in known:
                known[other] = rule_book().rule(other)
    return list(known.values())


def _read_table(name: str, content: bytes) -> RuleTable:
    try:
        document = yaml.load(content, Loader=_YAML_LOADER)  # noqa: S506 - both loaders are the safe ones
    except yaml.YAMLError as error:
        raise InvalidRule(f"{name}: is not YAML ({error}). Mend it at the place named.") from error
    fields = _mapping(name, "the file", document, _FILE_KEYS)
    table = _matching(name, "table", fields["table"], _TABLE, "schema.table, in small letters")
    level = fields["level"]
    if level not in ("return", "table"):
        raise InvalidRule(
            f"{name}: level {level!r}. Write return (judges returns) or table (judges a table)."
        )
    keys = tuple(_column(name, "keys", column) for column in _list(name, "keys", fields["keys"]))
    rules = tuple(
        _read_rule(name, table, cast(Level, level), keys, entry)
        for entry in _list(name, "rules", fields["rules"])
    )
    _check_precedence(name, rules)
    return RuleTable(table, cast(Level, level), keys, rules)


def _read_rule(name: str, table: str, level: Level, keys: tuple[str, ...], entry: Any) -> Rule:
    if not isinstance(entry, dict) or "id" not in entry:
        raise InvalidRule(f"{name}: a rule without id: {entry!r}. Give it one, e.g. id: Q9.")
    rule_id = _matching(name, "id", entry["id"], _RULE_ID, "a capital letter, then letters, digits or _")
    place = f"{name}: rule {rule_id}"
    fields = _mapping(name, f"rule {rule_id}", entry, _RULE_KEYS)
    try:
        severity = Severity(fields["severity"])
    except ValueError as error:
        raise InvalidRule(
            f"{place}: severity {fields['severity']!r}. Write critical, warning or info."
        ) from error
    if "when" in fields and not str(fields["expect"]).startswith("expect_column_values_"):
        raise InvalidRule(f"{place}: when is for rules on the values of one column. Remove it.")
    message = _wording(place, "message", fields["message"]) if "message" in fields else None
    if level == "return" and message is None:
        raise InvalidRule(
            f"{place}: has no message. A rule on returns speaks to a clerk: write message zh and en."
        )
    if level == "table" and (message is not None or "explained_by" in fields):
        raise InvalidRule(
            f"{place}: message and explained_by are for rules on returns. Remove them, or use help."
        )
    if "explanation_covers" in fields and severity is not Severity.WARNING:
        raise InvalidRule(
            f"{place}: explanation_covers is for warnings; nothing else is explained. Remove it."
        )
    return Rule(
        id=rule_id,
        severity=severity,
        table=table,
        level=level,
        keys=keys,
        label=_wording(place, "label", fields["label"]),
        help=_wording(place, "help", fields["help"]),
        expectation=_expectation(place, fields["expect"]),
        arguments=_arguments(place, fields["expect"], fields["with"]),
        when=_condition(place, fields["when"]) if "when" in fields else None,
        yields_to=tuple(str(other) for other in _list(place, "yields_to", fields.get("yields_to", []))),
        where=_where(place, fields.get("where", {})),
        given=_text(place, "given", fields.get("given", "")),
        expected=_text(place, "expected", fields.get("expected", "")),
        message=message,
        explained_by=_column(place, "explained_by", fields["explained_by"])
        if "explained_by" in fields
        else "",
        explanation_covers=_cover(place, fields.get("explanation_covers", {})),
    )


def _expectation(place: str, value: Any) -> str:
    if value not in EXPECTATIONS:
        raise InvalidRule(
            f"{place}: expect {value!r} has no SQL twin. Use one of: {', '.join(EXPECTATIONS)}."
        )
    return str(value)


def _arguments(place: str, expectation: str, value: Any) -> Mapping[str, Any]:
    fields = _mapping(place, "with", value, EXPECTATIONS[expectation])
    for key, argument in fields.items():
        if key == "column":
            _column(place, "with.column", argument)
        elif key == "column_list":
            columns = [_column(place, "with.column_list", column) for column in _list(place, key, argument)]
            if len(columns) < 2:
                raise InvalidRule(f"{place}: with.column_list needs two columns or more.")
        elif key == "value_set":
            if not all(isinstance(item, bool | int | float | str) for item in _list(place, key, argument)):
                raise InvalidRule(f"{place}: with.value_set holds {argument!r}. Write plain values only.")
        elif key in ("min_value", "max_value"):
            _number(place, f"with.{key}", argument)
        elif not isinstance(argument, bool):
            raise InvalidRule(f"{place}: with.{key} is {argument!r}. Write true or false.")
    if expectation.endswith("_between") and not {"min_value", "max_value"} & set(fields):
        raise InvalidRule(
            f"{place}: {expectation} without min_value and max_value asks nothing. Give one of them."
        )
    return MappingProxyType(dict(fields))


def _condition(place: str, value: Any) -> Condition:
    fields = _mapping(place, "when", value, {"column": True, "min_value": False, "max_value": False})
    if len(fields) < 2:
        raise InvalidRule(f"{place}: when has no bound. Give min_value, max_value or both.")
    low, high = fields.get("min_value"), fields.get("max_value")
    return Condition(
        _column(place, "when.column", fields["column"]),
        None if low is None else _number(place, "when.min_value", low),
        None if high is None else _number(place, "when.max_value", high),
    )


def _where(place: str, value: Any) -> Where:
    fields = _mapping(place, "where", value, {"form": False, "sheet": False, "cell": False})
    return Where(**{key: _column(place, f"where.{key}", column) for key, column in fields.items()})


def _cover(place: str, value: Any) -> ExplanationCover:
    fields = _mapping(place, "explanation_covers", value, {"facts": False, "months": False})
    facts = [
        _column(place, "explanation_covers.facts", one)
        for one in _list(place, "facts", fields.get("facts", []))
    ]
    months = _number(place, "explanation_covers.months", fields.get("months", HISTORY_MONTH_COUNT))
    if months != int(months) or months < 1:
        raise InvalidRule(f"{place}: explanation_covers.months is {months!r}. Write a whole number from 1.")
    return ExplanationCover(tuple(facts), int(months))


def _check_precedence(name: str, rules: tuple[Rule, ...]) -> None:
    yields_to = {rule.id: rule.yields_to for rule in rules}
    for rule in rules:
        unknown = [other for other in rule.yields_to if other not in yields_to]
        if unknown:
            raise InvalidRule(
                f"{name}: rule {rule.id} yields to {unknown[0]}, which is no rule of this table. "
                "Precedence is decided row by row, so both must judge the same table."
            )
        todo, reached = list(rule.yields_to), set[str]()
        while todo:
            other = todo.pop()
            if other == rule.id:
                raise InvalidRule(f"{name}: rule {rule.id} yields to itself by a circle. Break the circle.")
            if other not in reached:
                reached.add(other)
                todo += yields_to[other]


def _mapping(name: str, what: str, value: Any, keys: Mapping[str, bool]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidRule(f"{name}: {what} is {value!r}. Write keys and values: {', '.join(keys)}.")
    unknown = [key for key in value if key not in keys]
    if unknown:
        raise InvalidRule(f"{name}: {what} has an unknown key {unknown[0]!r}. Known keys: {', '.join(keys)}.")
    missing = [key for key, is_required in keys.items() if is_required and key not in value]
    if missing:
        raise InvalidRule(f"{name}: {what} lacks {missing[0]}. Add it.")
    return value


def _list(place: str, what: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidRule(f"{place}: {what} is {value!r}. Write a list.")
    return value


def _matching(place: str, what: str, value: Any, pattern: re.Pattern[str], shape: str) -> str:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise InvalidRule(f"{place}: {what} is {value!r}. Write {shape}.")
    return value


def _column(place: str, what: str, value: Any) -> str:
    return _matching(place, what, value, _NAME, "the name of a column, in small letters")


def _number(place: str, what: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidRule(f"{place}: {what} is {value!r}. Write a number.")
    return value


def _text(place: str, what: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidRule(f"{place}: {what} is {value!r}. Write a text, in quotation marks.")
    return value


def _wording(place: str, what: str, value: Any) -> Wording:
    fields = _mapping(place, what, value, {"zh": True, "en": True})
    for language, text in fields.items():
        if not _text(place, f"{what}.{language}", text).strip():
            raise InvalidRule(f"{place}: {what}.{language} is empty. Write both languages.")
    return Wording(zh=fields["zh"].strip(), en=fields["en"].strip())
