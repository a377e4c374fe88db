"""Code lists with labels in zh and en, and the codes behind what clerks write.

Items (EBOPS), partners, districts of the city and currencies, read once from `sql/reference/*.csv`. The files
are the authority; here is no code of any list. Judging whether a code may stand where it stands belongs to
the rules, not here.

How a text is matched. First as a code, exactly (full-width letters and digits, blanks and case aside); then by
name or alias with everything that is not a letter or a digit dropped, so that 电信、计算机和信息服务 equals
电信计算机和信息服务; then as code plus name in one cell (`SI2 计算机服务`). A text that could mean two things,
or a code whose name is another's, is None: the caller reports it, nothing is guessed.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache, wraps
from typing import TypeVar

from pipelines.paths import REFERENCE_DIR

_Record = TypeVar("_Record")
# Names in a month's returns repeat, so they are remembered; what a hostile file sends must fill neither
# memory nor time.
_TEXTS_REMEMBERED = 65_536
_LONGEST_TEXT = 300  # no name of any list is half as long


class UnknownCode(KeyError):
    """A code is in none of the reference lists; whoever wrote the code or the table must mend it."""


@dataclass(frozen=True, slots=True)
class EbopsItem:
    """One item of the classification in force (77 of them: the total S, SA..SL and their parts).

    level       0 for S, 1 for the twelve main items, up to 4
    parent      code of the item it is part of; None for S
    mofcom12_zh name of the MOFCOM category it is printed under; empty for none
    digitally_deliverable_unctad  yes, no, part (some of its parts are) or empty for S
    valid_until last day of validity; None while in force
    """

    code: str
    classification: str
    valid_from: date
    valid_until: date | None
    msits_number: str
    level: int
    parent: str | None
    name_zh: str
    name_en: str
    mofcom12_zh: str
    safe_name_zh: str
    is_knowledge_intensive: bool
    digitally_deliverable_unctad: str


@dataclass(frozen=True, slots=True)
class MofcomCategory:
    """One of the twelve categories in the order in which MOFCOM prints them (1 = 运输)."""

    display_order: int
    name_zh: str
    name_en: str
    item_code: str


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner country or area.

    code   ISO 3166 alpha-3 for countries; W1 world, _X not specified, and the areas of published tables
    kind   country, world, not_specified, aggregate (sums of others), group (what is left of a region) or
           institution
    customs_code  three digits of the customs list, empty where the reference table has none
    """

    code: str
    alpha_2: str
    numeric_code: str
    customs_code: str
    kind: str
    name_zh: str
    name_en: str
    full_name_zh: str
    full_name_en: str
    other_names: tuple[str, ...]

    @property
    def is_country(self) -> bool:
        """One country or area, and not the world, a sum, a remainder or an institution."""
        return self.kind == "country"


@dataclass(frozen=True, slots=True)
class District:
    """A district (GB/T 2260 code) or a development zone (code of the project) that enterprises report under."""

    code: str
    display_order: int
    name_zh: str
    name_en: str
    kind: str
    main_district_code: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 currency."""

    code: str
    name_zh: str
    name_en: str
    symbol: str


# Lists ------------------------------------------------------------------------------------------------------


@cache
def ebops_items() -> tuple[EbopsItem, ...]:
    """The 77 items in the order of the classification: S, SA, SB, SC, SC1, SC11 ..."""
    return tuple(
        EbopsItem(
            code=row["item_code"],
            classification=row["classification"],
            valid_from=date.fromisoformat(row["valid_from"]),
            valid_until=date.fromisoformat(row["valid_until"]) if row["valid_until"] else None,
            msits_number=row["msits_number"],
            level=int(row["level"]),
            parent=row["parent_code"] or None,
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            mofcom12_zh=row["mofcom12_zh"],
            safe_name_zh=row["safe_name_zh"],
            is_knowledge_intensive=row["is_knowledge_intensive"] == "true",
            digitally_deliverable_unctad=row["digitally_deliverable_unctad"],
        )
        for row in _rows("ebops_items")
    )


@cache
def mofcom_categories() -> tuple[MofcomCategory, ...]:
    """The twelve categories in MOFCOM's order, the order of every bulletin table."""
    return tuple(
        MofcomCategory(int(row["display_order"]), row["category_zh"], row["category_en"], row["item_code"])
        for row in _rows("mofcom_categories")
    )


@cache
def partners() -> tuple[Partner, ...]:
    """Every country by alpha-3 code, then world, not specified and the areas of published tables."""
    return tuple(
        Partner(
            code=row["partner_code"],
            alpha_2=row["alpha_2"],
            numeric_code=row["numeric_code"],
            customs_code=row["customs_code"],
            kind=row["partner_kind"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            full_name_zh=row["full_name_zh"],
            full_name_en=row["full_name_en"],
            other_names=(*_parts(row["other_names_zh"]), *_parts(row["other_names_en"])),
        )
        for row in _rows("partners")
    )


@cache
def districts() -> tuple[District, ...]:
    """Districts of the city in GB/T 2260 order, then its development zones."""
    return tuple(
        District(
            code=row["district_code"],
            display_order=int(row["display_order"]),
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            kind=row["district_kind"],
            main_district_code=row["main_district_code"],
            aliases=_parts(row["aliases"]),
        )
        for row in _rows("districts")
    )


@cache
def currencies() -> tuple[Currency, ...]:
    """Every current ISO 4217 currency."""
    return tuple(
        Currency(row["currency_code"], row["name_zh"], row["name_en"], row["symbol"])
        for row in _rows("currencies")
    )


# Look-ups by code ---------------------------------------------------------------------------------------------


def ebops_item(code: str) -> EbopsItem:
    """The item of a code. Raises UnknownCode."""
    return _of(_items_by_code(), code, "EBOPS item", "ebops_items.csv")


def partner(code: str) -> Partner:
    """The partner of a code. Raises UnknownCode."""
    return _of(_partners_by_code(), code, "partner", "partners.csv")


def district(code: str) -> District:
    """The district or zone of a code. Raises UnknownCode."""
    return _of(_districts_by_code(), code, "district", "districts.csv")


def currency(code: str) -> Currency:
    """The currency of a code. Raises UnknownCode."""
    return _of(_currencies_by_code(), code, "currency", "currencies.csv")


def ancestors(code: str) -> tuple[str, ...]:
    """What an item is part of, nearest first: SJ211 -> SJ21, SJ2, SJ, S. Empty for S. Raises UnknownCode."""
    found: list[str] = []
    parent = ebops_item(code).parent
    while parent is not None:
        found.append(parent)
        parent = ebops_item(parent).parent
    return tuple(found)


def children(code: str) -> tuple[str, ...]:
    """The items one level below, in the order of the classification. Raises UnknownCode."""
    ebops_item(code)
    return tuple(item.code for item in ebops_items() if item.parent == code)


def main_item(code: str) -> str | None:
    """The one of the twelve main items (SA..SL) that an item belongs to; None for the total S. Raises UnknownCode."""
    lineage = (code, *ancestors(code))
    return next((one for one in lineage if ebops_item(one).level == 1), None)


def _remembered(look_up: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """Answer a text seen before at once, and None for a text too long to be a name."""
    remembered = lru_cache(maxsize=_TEXTS_REMEMBERED)(look_up)

    @wraps(look_up)
    def bounded(text: str) -> str | None:
        return remembered(text) if len(text) <= _LONGEST_TEXT else None

    return bounded


# What clerks write --------------------------------------------------------------------------------------------


@_remembered
def item_code_of(text: str) -> str | None:
    """The item code behind a cell, or None if it names none or could name two.

    Takes SI2, ＳＩ２, 计算机服务, `SI2 计算机服务`, `9 Telecommunications, ...`, 其中：计算机服务 and the aliases of
    item_aliases.csv. A bare number is None: the numbers of MSITS and of MOFCOM's order collide. The alias
    Distribution gives SW (trade margins), which is not among `ebops_items()`.
    """
    plain = _plain(text)
    code = _code_in(plain)
    if code in _items_by_code():
        return code
    by_name = _item_names()
    for words in (plain, _LIST_MARK.sub("", plain)):
        found = by_name.get(_key(words))
        if found is not None:
            return found
    return _from_code_and_name(plain, _items_by_code(), by_name, is_code_enough=_is_unmistakable_item)


@_remembered
def partner_code_of(text: str) -> str | None:
    """The partner code behind a cell, or None if it names none or could name two.

    Takes USA, US, 美国, 美利坚合众国, United States, the customs number 502, `USA 美国`, `US United States` and the
    aliases of partner_aliases.csv. Other numbers are None: ISO's and the customs numbers collide (344).
    """
    plain = _plain(text)
    codes = _partner_codes()
    by_name = _partner_names()
    code = codes.get(_code_in(plain))
    if code is not None:
        return code
    key = _key(plain)
    if key in by_name:
        return by_name[key]
    return _from_code_and_name(plain, codes, by_name, is_code_enough=_never)


@_remembered
def district_code_of(text: str) -> str | None:
    """The district or zone code behind a cell, or None. Takes 420106, 武昌区, 武昌, 武汉市武昌区, Wuchang, 光谷."""
    plain = _plain(text)
    code = _code_in(plain)
    if code in _districts_by_code():
        return code
    by_name = _district_names()
    for words in (plain, _CITY_PREFIX.sub("", plain)):
        found = by_name.get(_key(words))
        if found is not None:
            return found
    return _from_code_and_name(plain, _districts_by_code(), by_name, is_code_enough=_never)


@_remembered
def currency_code_of(text: str) -> str | None:
    """The ISO 4217 code behind a cell, or None. Takes USD, 美元, 港币, US dollars, US$, £, `USD 美元`, 美元（USD）."""
    plain = _plain(text)
    code = _code_in(plain)
    if code in _currencies_by_code():
        return code
    if plain in _currency_symbols():  # exactly: without its signs US$ would be a country
        return _currency_symbols()[plain]
    by_name = _currency_names()
    found = by_name.get(_key(plain))
    if found is not None:
        return found
    return _from_code_and_name(plain, _currencies_by_code(), by_name, is_code_enough=_never)


@_remembered
def department_indicator_of(text: str) -> str | None:
    """The canonical name of a departmental indicator (DM-4), or None if department_series.csv has it not.

    Takes every spelling of the file, whatever its blanks, brackets and punctuation: 服务进出口总额 gives
    服务贸易进出口总额. A name that is not in the list may still be filed; it only feeds no target.
    """
    return _department_indicators().get(_key(text))


@_remembered
def industry_code_of(text: str) -> str | None:
    """The industry code of GB/T 4754 behind a text, or None. Takes 6513, I6513, 651, 65 and their full-width forms.

    Its division (first two digits) is one of the standard and, where the letter of the section is written, of that
    section. Which of its groups and classes there are is not in the lists.
    """
    code = _code_in(_plain(text))
    match = _INDUSTRY.fullmatch(code)
    if match is None:
        return None
    section = _sections_by_division().get(match["division"])
    return code if section is not None and match["section"] in ("", section) else None


# Matching -----------------------------------------------------------------------------------------------------

_INDUSTRY = re.compile(r"(?P<section>[A-T]?)(?P<division>[0-9]{2})[0-9]{0,2}")

_LIST_MARK = re.compile(
    r"^(?:其中\s*[:,]?\s*|\(?\d{1,2}(?:\.\d{1,2}){0,3}\)?\s*[.、,]?\s*|\(?[一二三四五六七八九十]{1,3}[)、.]\s*)"
)
_CITY_PREFIX = re.compile(r"^(?:湖北省?)?\s*武汉市?\s*")
_CODE_THEN_NAME = re.compile(
    r"^\(?(?P<code>_?[A-Za-z0-9]{1,6})\)?\s*[-—–:,、/|.]?\s*(?P<name>.+)$", re.DOTALL
)
_NAME_THEN_CODE = re.compile(r"^(?P<name>.+?)\s*[(\[]\s*(?P<code>_?[A-Za-z0-9]{1,6})\s*[)\]]$", re.DOTALL)


def _plain(text: str) -> str:
    """Full-width forms as plain ones, blanks at the ends gone."""
    return unicodedata.normalize("NFKC", text).strip()


def _key(text: str) -> str:
    """What two spellings of one name have in common: letters and digits, without case, marks and accents."""
    decomposed = unicodedata.normalize("NFKD", text.replace("&", " and ")).casefold()
    return "".join(character for character in decomposed if character.isalnum())


def _code_in(plain: str) -> str:
    """The text as a code: upper case, no blanks, without the .0 that a number cell brings along."""
    return re.sub(r"\s+|(?<=\d)\.0+$", "", plain).upper()


def _from_code_and_name(
    plain: str,
    codes: Mapping[str, object],
    by_name: Mapping[str, str | None],
    is_code_enough: Callable[[str, str], bool],
) -> str | None:
    """The code of a cell that holds code and name, in either order, if the two agree.

    Code and name must have something between them or differ in script, so that `Indonesia` is never read as
    IN plus donesia. `is_code_enough` decides where the name is nobody's.
    """
    for shape in (_CODE_THEN_NAME, _NAME_THEN_CODE):
        match = shape.match(plain)
        if match is None or _is_one_word(plain, match):
            continue
        written = match["code"].upper()
        if written not in codes:
            continue
        held = codes[written]
        code = held if isinstance(held, str) else written
        name = match["name"]
        key = _key(name)
        if key in by_name:
            return code if by_name[key] == code else None
        return code if is_code_enough(written, name) else None
    return None


def _is_one_word(plain: str, match: re.Match[str]) -> bool:
    """Whether the cut between code and name falls inside a word."""
    cut = match.end("code") if match.start("code") < match.start("name") else match.start("code")
    before, after = plain[cut - 1 : cut], plain[cut : cut + 1]
    return before.isascii() and after.isascii() and before.isalnum() and after.isalnum()


def _is_unmistakable_item(code: str, name: str) -> bool:
    """An item code with a digit, or one beside Chinese words, is no country code and no English word."""
    return any(character.isdigit() for character in code) or not name.isascii()


def _never(_code: str, _name: str) -> bool:
    """The name must agree."""
    return False


# Indexes ------------------------------------------------------------------------------------------------------


@cache
def _items_by_code() -> Mapping[str, EbopsItem]:
    return {item.code: item for item in ebops_items()}


@cache
def _partners_by_code() -> Mapping[str, Partner]:
    return {one.code: one for one in partners()}


@cache
def _districts_by_code() -> Mapping[str, District]:
    return {one.code: one for one in districts()}


@cache
def _currencies_by_code() -> Mapping[str, Currency]:
    return {one.code: one for one in currencies()}


@cache
def _partner_codes() -> Mapping[str, str]:
    """alpha-3, alpha-2 and customs numbers."""
    return {
        written: one.code
        for one in partners()
        for written in (one.code, one.alpha_2, one.customs_code)
        if written
    }


@cache
def _item_names() -> Mapping[str, str | None]:
    names = [
        (spelling, item.code)
        for item in ebops_items()
        for name in (item.name_zh, item.name_en)
        for spelling in (name, _without_brackets(name))
    ]
    names += [(category.name_zh, category.item_code) for category in mofcom_categories()]
    names += [(category.name_en, category.item_code) for category in mofcom_categories()]
    return _index(names, ((row["alias"], row["item_code"]) for row in _rows("item_aliases")))


@cache
def _partner_names() -> Mapping[str, str | None]:
    return _index(
        (
            (name, one.code)
            for one in partners()
            for name in (one.name_zh, one.name_en, one.full_name_zh, one.full_name_en, *one.other_names)
        ),
        ((row["alias"], row["partner_code"]) for row in _rows("partner_aliases")),
    )


@cache
def _district_names() -> Mapping[str, str | None]:
    return _index(
        (
            (name, one.code)
            for one in districts()
            for name in (
                one.name_zh,
                one.name_zh.removesuffix("区") if one.kind == "district" else one.name_zh,
                one.name_en,
                one.name_en.removesuffix(" District"),
                *one.aliases,
            )
        ),
        (),
    )


@cache
def _currency_symbols() -> Mapping[str, str]:
    """Symbol as CLDR's Chinese locale writes it -> code, where one currency alone has it (¥ is CNY, JP¥ is JPY)."""
    holders: dict[str, list[str]] = {}
    for one in currencies():
        holders.setdefault(one.symbol, []).append(one.code)
    return {symbol: codes[0] for symbol, codes in holders.items() if symbol and len(codes) == 1}


@cache
def _currency_names() -> Mapping[str, str | None]:
    return _index(
        ((name, one.code) for one in currencies() for name in (one.name_zh, one.name_en)),
        ((row["alias"], row["currency_code"]) for row in _rows("currency_aliases")),
    )


@cache
def _sections_by_division() -> Mapping[str, str]:
    """Division of GB/T 4754 (two digits) -> letter of its section."""
    return {row["division_code"]: row["section_code"] for row in _rows("industry_items")}


@cache
def _department_indicators() -> Mapping[str, str | None]:
    return _index(
        ((row["indicator"], row["canonical_indicator"]) for row in _rows("department_series")),
        (),
    )


def _index(names: Iterable[tuple[str, str]], aliases: Iterable[tuple[str, str]]) -> Mapping[str, str | None]:
    """Key of each name -> code, or None where two codes share it. Aliases come last and decide.

    An alias without a code says that the name is ambiguous, whatever the lists have.
    """
    found: dict[str, str | None] = {}
    for name, code in names:
        key = _key(name)
        if key:
            found[key] = code if found.get(key, code) == code else None
    for name, code in aliases:
        found[_key(name)] = code or None
    return found


def _without_brackets(name: str) -> str:
    """加工服务(对他人拥有的...) -> 加工服务."""
    return re.sub(r"\s*[(（][^()（）]*[)）]\s*$", "", name)


def _of(table: Mapping[str, _Record], code: str, kind: str, file: str) -> _Record:
    if code not in table:
        raise UnknownCode(f"{code!r} is no {kind} code of sql/reference/{file}")
    return table[code]


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split("|") if part)


def _rows(table: str) -> Iterator[dict[str, str]]:
    with (REFERENCE_DIR / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
