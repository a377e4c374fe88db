"""Partners, their groups, districts and currencies: derived or documented, never typed from memory."""

import csv
from collections import Counter

import pytest

from pipelines import codes


@pytest.mark.parametrize("file", ["partners.csv", "currencies.csv"])
def test_the_file_is_what_babel_and_pycountry_give(file, derivation):
    expected = derivation.expected_files()[file]
    assert (derivation.FOLDER / file).read_text(encoding="utf-8") == expected


def test_the_check_fails_when_a_name_was_typed_over(derivation, tmp_path, monkeypatch):
    for path in derivation.FOLDER.glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(derivation, "FOLDER", tmp_path)
    assert derivation.main(["--check"]) == 0
    partners = tmp_path / "partners.csv"
    partners.write_text(partners.read_text(encoding="utf-8").replace("阿富汗", "阿富干", 1), encoding="utf-8")
    assert derivation.main(["--check"]) == 1
    assert derivation.main([]) == 0
    assert derivation.main(["--check"]) == 0


def test_there_are_249_countries_with_the_codes_of_iso_3166(table):
    countries = [row for row in table("partners") if row["partner_kind"] == "country"]
    assert len(countries) == 249
    for row in countries:
        assert (len(row["partner_code"]), len(row["alpha_2"]), len(row["numeric_code"])) == (3, 2, 3)
    for column in ("alpha_2", "numeric_code", "name_zh", "name_en"):
        assert len({row[column] for row in countries}) == 249, column


def test_codes_and_names_agree_with_an_independent_list(shared, table):
    """Another project's list of ISO codes; its Chinese names differ from CLDR's for 18 of 249, its codes never."""
    with (shared / "real" / "country_codes_zh.csv").open(encoding="utf-8-sig", newline="") as file:
        other = {row["alpha3"]: row for row in csv.DictReader(file)}
    countries = [one for one in codes.partners() if one.is_country]
    assert {one.code for one in countries} <= set(other)
    assert all(
        (one.alpha_2, one.numeric_code) == (other[one.code]["alpha2"], other[one.code]["numeric"])
        for one in countries
    )
    unread = {
        one.code
        for one in countries
        if codes.partner_code_of(other[one.code]["name_zh"]) not in (one.code, None)
    }
    assert unread == set()
    same = sum(one.name_zh == other[one.code]["name_zh"] for one in countries)
    assert same >= 230


def test_hong_kong_macao_and_taiwan_are_printed_as_chinese_tables_print_them():
    assert [(codes.partner(code).name_zh, codes.partner(code).name_en) for code in ("HKG", "MAC", "TWN")] == [
        ("中国香港", "Hong Kong, China"),
        ("中国澳门", "Macao, China"),
        ("中国台湾", "Taiwan, China"),
    ]


def test_the_world_and_not_specified_are_no_countries():
    assert codes.partner("W1").kind == "world"
    assert codes.partner("_X").kind == "not_specified"
    kinds = Counter(one.kind for one in codes.partners())
    assert kinds == {
        "country": 249,
        "world": 1,
        "not_specified": 1,
        "aggregate": 2,
        "institution": 3,
        "group": 11,
    }


def test_groups_have_as_many_members_as_their_names_say(table):
    members = Counter(row["group_code"] for row in table("partner_group_members"))
    assert members == {"BRI": 65, "RCEP": 14, "HMT": 3, "EU27": 27, "EU28": 28}


def test_the_union_of_28_is_that_of_27_and_the_united_kingdom_and_they_never_overlap_in_time(table):
    groups = {
        code: {row["partner_code"] for row in table("partner_group_members") if row["group_code"] == code}
        for code in ("EU27", "EU28")
    }
    assert groups["EU28"] - groups["EU27"] == {"GBR"}
    assert groups["EU27"] <= groups["EU28"]
    dates = {
        row["group_code"]: (row["valid_from"], row["valid_until"]) for row in table("partner_group_members")
    }
    assert dates["EU28"][1] == "2020-01-31"
    assert dates["EU27"][0] == "2020-02-01"


def test_members_are_countries_and_never_china_itself(table):
    for row in table("partner_group_members"):
        assert codes.partner(row["partner_code"]).is_country
        assert row["partner_code"] != "CHN"


def test_what_is_expert_knowledge_says_so_and_may_be_replaced(table):
    for row in table("partner_groups"):
        assert row["basis"]
        assert (row["confidence"] == "expert") == (row["is_configurable"] == "true")
    expert = {row["group_code"] for row in table("partner_groups") if row["confidence"] == "expert"}
    assert expert == {"BRI", "RCEP"}


def test_wuhan_has_thirteen_districts_with_codes_of_the_standard_and_zones_with_codes_of_ours():
    districts = [one for one in codes.districts() if one.kind == "district"]
    zones = [one for one in codes.districts() if one.kind == "zone"]
    assert [one.code[-2:] for one in districts] == [
        "02",
        "03",
        "04",
        "05",
        "06",
        "07",
        "11",
        "12",
        "13",
        "14",
        "15",
        "16",
        "17",
    ]
    assert all(one.code.startswith("4201") and one.code.isdecimal() for one in districts)
    assert {one.name_zh for one in zones} >= {
        "东湖新技术开发区",
        "武汉经济技术开发区",
        "武汉临空港经济技术开发区",
    }
    assert not any(one.code.isdecimal() for one in zones)
    assert [one.display_order for one in codes.districts()] == list(range(1, len(codes.districts()) + 1))


def test_every_currency_that_a_table_of_rates_may_hold_is_there():
    known = {one.code for one in codes.currencies()}
    assert {
        "CNY",
        "USD",
        "EUR",
        "GBP",
        "JPY",
        "HKD",
        "MOP",
        "TWD",
        "KRW",
        "SGD",
        "AUD",
        "CAD",
        "CHF",
        "RUB",
    } <= known
    assert not {"XAU", "XXX", "XTS", "XDR"} & known
