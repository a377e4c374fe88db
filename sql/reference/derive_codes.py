"""Derive partners.csv and currencies.csv from Babel and pycountry, so that no name of a country is typed.

    python sql/reference/derive_codes.py           writes both files beside this one
    python sql/reference/derive_codes.py --check   exit code 1 if they differ from what would be written

It stands beside the files it writes, and not under pipelines/, because nothing at run time may need it:
the pipeline reads the CSV files with the standard library alone. tests/reference calls `derive_partners`
and `derive_currencies` and compares. Areas that are no country (world, ONS groups, institutions) have no
standard Chinese names: they are data in partner_areas.csv and are appended as they stand.

Names. name_zh and name_en are CLDR's (Babel, zh_Hans and en). For Hong Kong, Macao and Taiwan, CLDR's names
are not the ones that Chinese statistical tables print; theirs are derived by one rule each: the Chinese from
ISO 3166's official or short name in pycountry's zh_CN catalogue less 特别行政区 or 省 (中国香港, 中国澳门,
中国台湾), the English from ISO's short name and the suffix ", China". full_name_* are ISO's official names;
other_names_* every further spelling in the two sources, for reading what clerks write.
"""

from __future__ import annotations

import argparse
import csv
import gettext
import io
import sys
from pathlib import Path

import pycountry
from babel import Locale

FOLDER = Path(__file__).resolve().parent
PARTNER_COLUMNS = (
    "partner_code", "alpha_2", "numeric_code", "customs_code", "partner_kind",
    "name_zh", "name_en", "full_name_zh", "full_name_en", "other_names_zh", "other_names_en", "source",
)  # fmt: skip
CURRENCY_COLUMNS = ("currency_code", "numeric_code", "name_zh", "name_en", "symbol", "source")
# Customs numbers in the project's domain note (3.3); a bureau adds the others here from its own list.
CUSTOMS_CODES = {"HKG": "110", "USA": "502"}
_PRINTED_AS_PART_OF_CHINA = ("HKG", "MAC", "TWN")


def derive_partners(areas: list[dict[str, str]]) -> list[dict[str, str]]:
    """Every ISO 3166-1 country and area by alpha-3 code, then `areas` (rows of partner_areas.csv) as they stand."""
    names_zh = Locale.parse("zh_Hans").territories
    names_en = Locale("en").territories
    translated = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=["zh_CN"]).gettext
    rows = []
    for country in sorted(pycountry.countries, key=lambda one: str(one.alpha_3)):
        iso_names = [getattr(country, field, "") for field in ("name", "common_name", "official_name")]
        iso_names_zh = [_translation(translated, name) for name in iso_names]
        name_zh, name_en = names_zh[country.alpha_2], names_en[country.alpha_2]
        if country.alpha_3 in _PRINTED_AS_PART_OF_CHINA:
            name_zh = (iso_names_zh[2] or iso_names_zh[0]).removesuffix("特别行政区").removesuffix("省")
            name_en = f"{iso_names[1] or iso_names[0]}, China"
        rows.append(
            {
                "partner_code": country.alpha_3,
                "alpha_2": country.alpha_2,
                "numeric_code": country.numeric,
                "customs_code": CUSTOMS_CODES.get(country.alpha_3, ""),
                "partner_kind": "country",
                "name_zh": name_zh,
                "name_en": name_en,
                "full_name_zh": iso_names_zh[2] or iso_names_zh[0] or name_zh,
                "full_name_en": iso_names[2] or iso_names[0],
                "other_names_zh": _others(name_zh, [names_zh[country.alpha_2], *iso_names_zh]),
                "other_names_en": _others(name_en, [names_en[country.alpha_2], *iso_names]),
                "source": "ISO 3166-1 (pycountry); CLDR (Babel)",
            }
        )
    return rows + [{column: area.get(column, "") for column in PARTNER_COLUMNS} for area in areas]


def derive_currencies() -> list[dict[str, str]]:
    """Every current ISO 4217 currency that CLDR names in Chinese; X-codes (gold, test, none) are left out."""
    zh, en = Locale.parse("zh_Hans"), Locale("en")
    return [
        {
            "currency_code": currency.alpha_3,
            "numeric_code": currency.numeric,
            "name_zh": zh.currencies[currency.alpha_3],
            "name_en": en.currencies[currency.alpha_3],
            "symbol": zh.currency_symbols.get(currency.alpha_3, ""),
            "source": "ISO 4217 (pycountry); CLDR (Babel)",
        }
        for currency in sorted(pycountry.currencies, key=lambda one: str(one.alpha_3))
        if currency.alpha_3 in zh.currencies
        and (not currency.alpha_3.startswith("X") or currency.alpha_3 in ("XAF", "XCD", "XCG", "XOF", "XPF"))
    ]


def as_csv(columns: tuple[str, ...], rows: list[dict[str, str]]) -> str:
    """The text of the file: UTF-8, comma, LF, header first."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def expected_files() -> dict[str, str]:
    """Name and text of each derived file."""
    with (FOLDER / "partner_areas.csv").open(encoding="utf-8", newline="") as file:
        areas = list(csv.DictReader(file))
    return {
        "partners.csv": as_csv(PARTNER_COLUMNS, derive_partners(areas)),
        "currencies.csv": as_csv(CURRENCY_COLUMNS, derive_currencies()),
    }


def _translation(translated: object, name: str) -> str:
    """The catalogue's Chinese for a name, or nothing: gettext gives the English back where it has none."""
    if not name:
        return ""
    text = str(translated(name))  # type: ignore[operator]
    return "" if text == name else text


def _others(name: str, candidates: list[str]) -> str:
    unique = dict.fromkeys(candidate for candidate in candidates if candidate and candidate != name)
    return "|".join(unique)


def main(arguments: list[str]) -> int:
    """Write the files, or with --check say which differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a file differs")
    check = parser.parse_args(arguments).check
    differing = [
        name
        for name, text in expected_files().items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_text(encoding="utf-8") != text
    ]
    for name in differing:
        if not check:
            (FOLDER / name).write_text(expected_files()[name], encoding="utf-8", newline="\n")
        sys.stdout.write(f"{name}: {'differs' if check else 'written'}\n")
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
