"""The register of the synthetic city: evidently fictitious enterprises with formally valid codes.

Their monthly amounts are not here (`economy`).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import Random

from stdnum.cn import uscc

from pipelines.paths import REFERENCE_DIR
from pipelines.periods import Month
from sample_data.profiles import ItemShare, Profile, profile_sequence

_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_PREFIXES = ("样例", "虚构", "示例")
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_UNIT_WEIGHTS = {"USD_10K": 70, "USD_1K": 12, "USD": 8, "CNY_10K": 10}
_PROFILES_WITH_PARENTS = ("software", "professional")
# Items that some enterprises list with their parts below them.
PARENTS_WITH_CHILDREN = ("SI2", "SJ21")
# Annual service trade of an enterprise that works a part of the year only: below the rules' value floor in
# every month, so that starting and stopping is nobody's query.
_SEASONAL_ANNUAL_USD = (260_000.0, 180_000.0)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of an enterprise's FM-2: item and partner with US dollars in a base year (0 = never traded)."""

    item_code: str
    partner_code: str
    annual_export_usd: float
    annual_import_usd: float
    export_remote_pct: int | None
    import_remote_pct: int | None
    related_party_pct: int | None
    is_volatile: bool  # moves beyond the query bounds now and then, and the clerk explains it


@dataclass(frozen=True, slots=True)
class Enterprise:
    """One respondent. `first` and `last` are its months in the register (`last` None: still there)."""

    number: int
    place: int
    code: str
    name: str
    short_name: str
    district_code: str
    industry_code: str
    profile: Profile
    unit_code: str
    lines: tuple[Line, ...]
    has_parent_rows: bool
    contract_slots: int
    offshore_share: float  # of its computer and business service exports that run through contracts
    employee_count: int
    registration_type: str
    holding_type: str
    is_key_enterprise: bool
    is_advanced_technology: bool
    contact: str
    phone: str
    first: Month
    last: Month | None
    is_major: bool  # the bureau rings these: they never stay silent, and they mend what is queried

    @property
    def is_outsourcing(self) -> bool:
        """Files FM-3."""
        return bool(self.profile.outsourcing_types)

    @property
    def organisation_code(self) -> str:
        """Characters 9 to 17 of the credit code, in the old notation with a hyphen before the check."""
        return f"{self.code[8:16]}-{self.code[16]}"

    def is_expected(self, month: Month) -> bool:
        """Whether a return is due for this month."""
        return self.first <= month and (self.last is None or month <= self.last)


def credit_code(number: int, region: str = "420100") -> str:
    """A formally valid unified social credit code whose body is plainly a running number.

    GB 32100-2015; characters 9 to 17 are an organisation code with its own check character (GB 11714).
    """
    body = f"{number:08d}"
    total = sum(
        _ORGANISATION_ALPHABET.index(character) * weight
        for character, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True)
    )
    remainder = 11 - total % 11
    check = {10: "X", 11: "0"}.get(remainder, str(remainder))
    front = f"91{region}{body}{check}"
    return f"{front}{uscc.calc_check_digit(front)}"


def wrong_check_character(code: str, rng: Random) -> str:
    """The same code with another last character of the alphabet."""
    alphabet = [character for character in "0123456789ABCDEFGHJKLMNPQRTUWXY" if character != code[-1]]
    return code[:-1] + rng.choice(alphabet)


@cache
def item_names() -> Mapping[str, str]:
    """Chinese name of every EBOPS item of the version in force."""
    return _column("ebops_items.csv", "item_code", "name_zh")


@cache
def partner_names() -> Mapping[str, str]:
    """Chinese name of every country or territory; groups of countries are not for enterprises."""
    with (REFERENCE_DIR / "partners.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["partner_code"]: row["name_zh"]
            for row in csv.DictReader(file)
            if row["partner_kind"] in ("country", "not_specified")
        }


@cache
def district_names() -> Mapping[str, str]:
    """Chinese name of every district and development zone."""
    return _column("districts.csv", "district_code", "name_zh")


@cache
def children_of_items() -> Mapping[str, tuple[str, ...]]:
    """The direct sub-items of every EBOPS item that has any."""
    children: dict[str, list[str]] = {}
    for child, parent in _column("ebops_items.csv", "item_code", "parent_code").items():
        children.setdefault(parent, []).append(child)
    return {parent: tuple(codes) for parent, codes in children.items() if parent}


def build_register(places: int, first: Month, month_count: int, seed: int) -> tuple[Enterprise, ...]:
    """All enterprises: `places` at any time, and a few that leave, each followed by a new one.

    The number of expected returns is therefore exactly places x months.
    """
    rng = Random(f"{seed}/register")
    sequence = profile_sequence()
    profiles = [sequence[place % len(sequence)] for place in range(places)]
    sizes = _sizes(profiles, seed)
    majors = set(sorted(range(places), key=lambda place: -sum(sizes[place]))[: max(1, places // 5)])
    changes = _changes(places, majors, month_count, rng)
    register: list[Enterprise] = []
    for place in range(places):
        leaves_after = changes.get(place)
        last = first.plus(leaves_after) if leaves_after is not None else None
        register.append(
            _enterprise(place, place, profiles[place], sizes[place], first, last, seed, place in majors)
        )
    for place, leaves_after in changes.items():
        register.append(
            _enterprise(
                len(register),
                place,
                profiles[place],
                sizes[place],
                first.plus(leaves_after + 1),
                None,
                seed,
                False,
            )
        )
    return tuple(register)


def stranger(number: int, seed: int) -> tuple[str, str]:
    """Code and name of an enterprise that files although no register knows it."""
    rng = Random(f"{seed}/stranger/{number}")
    return credit_code(90_000_000 + number), f"武汉虚构名录外{rng.choice(_STEMS)}{number}商务服务有限公司"


def _changes(places: int, majors: set[int], month_count: int, rng: Random) -> dict[int, int]:
    """Places whose enterprise leaves the register, and the position of its last month."""
    candidates = [place for place in range(places) if place not in majors]
    count = min(len(candidates), places // 33)
    if month_count < 6 or count == 0:
        return {}
    return {place: rng.randrange(3, month_count - 2) for place in sorted(rng.sample(candidates, count))}


def _sizes(profiles: list[Profile], seed: int) -> list[tuple[float, float]]:
    """Exports and imports of each place in a base year, up to a common factor; unequal, as cities are."""
    members: dict[str, list[int]] = {}
    for place, profile in enumerate(profiles):
        members.setdefault(profile.key, []).append(place)
    sizes: list[tuple[float, float]] = [(0.0, 0.0)] * len(profiles)
    for key in sorted(members):
        places = members[key]
        rng = Random(f"{seed}/sizes/{key}")
        weights = [math.exp(rng.gauss(0, 0.75)) for _ in places]
        total = sum(weights)
        for place, weight in zip(places, weights, strict=True):
            profile = profiles[place]
            # An enterprise weighs what its kind weighs in a city of a hundred, so that a small city of the
            # same total still has the structure of a large one.
            share = weight / total * len(places) / profile.count_per_hundred
            tilt = math.exp(rng.gauss(0, 0.25))
            sizes[place] = (
                profile.export_weight * share * tilt * 1e8,
                profile.import_weight * share / tilt * 1e8,
            )
            if profile.is_seasonal:
                sizes[place] = _SEASONAL_ANNUAL_USD
    return sizes


def _enterprise(
    number: int,
    place: int,
    profile: Profile,
    size: tuple[float, float],
    first: Month,
    last: Month | None,
    seed: int,
    is_major: bool,
) -> Enterprise:
    rng = Random(f"{seed}/enterprise/{number}")
    cycle, position = divmod(number, len(_PREFIXES) * 60)
    ganzhi = position // len(_PREFIXES)
    stem = _STEMS[ganzhi % 10] + _BRANCHES[ganzhi % 12]
    short_name = (
        f"{_PREFIXES[position % len(_PREFIXES)]}{stem}{cycle + 1 if cycle else ''}{profile.trade_name}"
    )
    is_state_owned = profile.key in ("construction", "engineering_design", "university", "chinese_medicine")
    has_parent_rows = profile.key in _PROFILES_WITH_PARENTS and rng.random() < 0.35
    lines = _lines(profile, size, has_parent_rows, rng)
    registration, holding = (
        ("国有独资公司", "国有控股")
        if is_state_owned
        else rng.choice(
            (
                ("其他有限责任公司", "私人控股"),
                ("私营有限责任公司", "私人控股"),
                ("外商投资企业", "外商控股"),
                ("港澳台商投资企业", "港澳台商控股"),
                ("股份有限公司", "其他"),
            )
        )
    )
    return Enterprise(
        number=number,
        place=place,
        code=credit_code(number + 1),
        name=f"武汉{short_name}{'' if profile.key in ('university', 'chinese_medicine') else '有限公司'}"
        + {"university": "学院", "chinese_medicine": "医院"}.get(profile.key, ""),
        short_name=short_name,
        district_code=rng.choice(profile.districts),
        industry_code=rng.choice(profile.industry_codes),
        profile=profile,
        unit_code=rng.choices(list(_UNIT_WEIGHTS), list(_UNIT_WEIGHTS.values()))[0],
        lines=lines,
        has_parent_rows=has_parent_rows,
        contract_slots=rng.randint(4, 7) if profile.outsourcing_types else 0,
        offshore_share=rng.uniform(0.55, 0.85),
        employee_count=rng.randint(18, 2600),
        registration_type=registration,
        holding_type=holding,
        is_key_enterprise=is_major or rng.random() < 0.5,
        is_advanced_technology=bool(profile.outsourcing_types) and rng.random() < 0.4,
        contact=f"样例{rng.choice(('会计', '统计员', '专员', '主管'))}",
        phone=f"027-0000{number % 10_000:04d}",
        first=first,
        last=last,
        is_major=is_major,
    )


def _lines(
    profile: Profile, size: tuple[float, float], has_parent_rows: bool, rng: Random
) -> tuple[Line, ...]:
    exports, imports = size
    export_total = sum(item.export_weight for item in profile.items)
    import_total = sum(item.import_weight for item in profile.items)
    lines: list[Line] = []
    shared = rng.sample(profile.partners, rng.randint(*profile.partner_count))
    for item in profile.items:
        partners = rng.sample(profile.partners, rng.randint(*profile.partner_count))
        if has_parent_rows and item.item_code.startswith(PARENTS_WITH_CHILDREN):
            partners = (
                shared  # the parts of one item go to the same partners, so that their sums are real sums
            )
        # Decreasing, so that the first partner is the main one, as partner mixes are.
        weights = [rng.uniform(0.6, 1.0) * 0.62**rank for rank in range(len(partners))]
        for partner, weight in zip(partners, weights, strict=True):
            share = weight / sum(weights)
            annual_export = exports * item.export_weight / export_total * share
            annual_import = imports * item.import_weight / import_total * share
            if annual_export and annual_import and not profile.is_seasonal:
                # Most rows trade one way only; the other way stays blank on the form.
                draw = rng.random()
                if draw < 0.25 and annual_import > annual_export:
                    annual_import, annual_export = annual_import + annual_export, 0.0
                elif draw < 0.25:
                    annual_export, annual_import = annual_export + annual_import, 0.0
            lines.append(_line(item, partner, annual_export, annual_import, rng))
    volatile = _volatile_position(profile, lines, rng)
    return tuple(line if position != volatile else _as_volatile(line) for position, line in enumerate(lines))


def _line(item: ItemShare, partner: str, annual_export: float, annual_import: float, rng: Random) -> Line:
    def around(base: int | None, annual: float) -> int | None:
        if base is None or not annual:
            return None
        return min(100, max(0, base + 5 * rng.randint(-2, 2))) if base < 100 else 100

    return Line(
        item_code=item.item_code,
        partner_code=partner,
        annual_export_usd=annual_export,
        annual_import_usd=annual_import,
        export_remote_pct=around(item.export_remote_pct, annual_export),
        import_remote_pct=around(item.import_remote_pct, annual_import),
        related_party_pct=rng.choice((None, None, None, 0, 10, 20, 35, 60, 100)),
        is_volatile=False,
    )


def _volatile_position(profile: Profile, lines: list[Line], rng: Random) -> int | None:
    """A row small enough that its jumps do not make the enterprise's totals jump, in some enterprises."""
    if profile.is_seasonal or profile.key in _PROFILES_WITH_PARENTS or rng.random() > 0.25:
        return None
    exports = sum(line.annual_export_usd for line in lines)
    imports = sum(line.annual_import_usd for line in lines)
    fitting = [
        position
        for position, line in enumerate(lines)
        if line.annual_export_usd <= 0.2 * exports and line.annual_import_usd <= 0.2 * imports
    ]
    return rng.choice(fitting) if fitting else None


def _as_volatile(line: Line) -> Line:
    return Line(
        line.item_code,
        line.partner_code,
        line.annual_export_usd,
        line.annual_import_usd,
        line.export_remote_pct,
        line.import_remote_pct,
        line.related_party_pct,
        is_volatile=True,
    )


def _column(file_name: str, key: str, value: str) -> dict[str, str]:
    with (REFERENCE_DIR / file_name).open(encoding="utf-8", newline="") as file:
        return {row[key]: row[value] for row in csv.DictReader(file)}
