"""EBOPS 2010, MOFCOM's twelve, the shares of the modes, and which industry plausibly trades what."""

import csv
from collections import Counter
from decimal import Decimal

import openpyxl
import pytest

from pipelines import codes

SHARES = ("mode_1_pct", "mode_2_pct", "mode_3_in_bop_pct", "mode_4_pct", "goods_pct", "out_of_scope_pct")
GIVEN_SHARES = ("m1", "m2", "m3", "m4", "goods", "out_of_scope")


def test_the_classification_has_77_items_twelve_of_them_main(table):
    levels = Counter(row["level"] for row in table("ebops_items"))
    assert sum(levels.values()) == 77
    assert levels["0"] == 1
    assert levels["1"] == 12
    assert [item.code for item in codes.ebops_items() if item.level == 1] == [
        f"S{one}" for one in "ABCDEFGHIJKL"
    ]
    assert {row["classification"] for row in table("ebops_items")} == {"EBOPS2010"}


def test_an_item_is_numbered_below_its_parent(table):
    numbers = {row["item_code"]: row["msits_number"] for row in table("ebops_items")}
    for item in codes.ebops_items():
        if item.level >= 2:
            assert numbers[item.code].startswith(numbers[item.parent] + ".")
            assert item.code.startswith(item.parent)
            assert numbers[item.code].count(".") == item.level - 1


def test_an_item_stands_in_the_mofcom_category_of_its_main_item():
    category_of = {category.item_code: category.name_zh for category in codes.mofcom_categories()}
    for item in codes.ebops_items():
        if item.level >= 1:
            assert item.mofcom12_zh.replace("、", "") == category_of[codes.main_item(item.code)].replace(
                "、", ""
            ).replace("个人文化和娱乐", "个人文化娱乐")


def test_the_knowledge_intensive_set_is_the_six_of_the_releases():
    knowledge = {item.code for item in codes.ebops_items() if item.level == 1 and item.is_knowledge_intensive}
    assert knowledge == {"SF", "SG", "SH", "SI", "SJ", "SK"}
    for item in codes.ebops_items():
        if item.level >= 1:
            assert item.is_knowledge_intensive == (codes.main_item(item.code) in knowledge)


def test_unctads_set_takes_only_the_audiovisual_part_of_culture():
    digital = {item.code: item.digitally_deliverable_unctad for item in codes.ebops_items()}
    assert (digital["SK"], digital["SK1"], digital["SK2"], digital["SC"], digital["SI2"]) == (
        "part", "yes", "no", "no", "yes",
    )  # fmt: skip


def test_mofcoms_order_begins_with_transport_and_ends_with_government():
    assert "，".join(category.name_zh for category in codes.mofcom_categories()) == (
        "运输，旅行，建筑，保险服务，金融服务，电信、计算机和信息服务，知识产权使用费，"
        "个人、文化和娱乐服务，维护和维修服务，加工服务，其他商业服务，政府服务"
    )
    assert [category.display_order for category in codes.mofcom_categories()] == list(range(1, 13))


def test_items_equal_the_table_of_facts(table, given_table):
    flags = {"1": "true", "0": "false", "": ""}
    digital = {"1": "yes", "0": "no", "part": "part", "": ""}
    carried = [
        (row["item_code"], row["msits_number"], row["level"], row["parent_code"], row["name_en"], row["name_zh"],
         row["mofcom12_zh"], row["safe_name_zh"], row["digitally_deliverable_unctad"], row["is_knowledge_intensive"])
        for row in table("ebops_items")
    ]  # fmt: skip
    assert carried == [
        (row["code"], row["msits_no"], row["level"], row["parent"], row["name_en"], row["name_zh"],
         row["mofcom12_zh"], row["safe_name_zh"], digital[row["digitally_deliverable_unctad"]],
         flags[row["knowledge_intensive_mofcom"]])
        for row in given_table("ebops2010_codes")
    ]  # fmt: skip


def test_mode_shares_equal_the_table_of_facts_to_the_digit(table, given_table):
    carried = [
        (row["profile"], row["flow"], row["item_code"], *(row[share] for share in SHARES),
         row["confidence"], row["basis"], row["note"])
        for row in table("mode_allocation")
    ]  # fmt: skip
    assert carried == [
        (row["profile"], row["flow"], row["ebops"], *(row[share] for share in GIVEN_SHARES),
         row["confidence"], row["basis"], row["note"])
        for row in given_table("mode_allocation_default")
    ]  # fmt: skip


def test_the_shares_of_every_row_add_up_to_100_exactly(table):
    for row in table("mode_allocation"):
        shares = [Decimal(row[share]) for share in SHARES]
        assert sum(shares) == 100, (row["profile"], row["item_code"])
        assert all(share >= 0 for share in shares)


@pytest.mark.parametrize(("profile", "shares"), [("wto_base", "81 0 19"), ("wto_2020s", "95 0 5")])
def test_a_hundred_of_computer_services_is_split_as_published(profile, shares, table):
    [row] = [
        row for row in table("mode_allocation") if (row["profile"], row["item_code"]) == (profile, "SI2")
    ]
    assert row["flow"] == "both"
    assert f"{row['mode_1_pct']} {row['mode_2_pct']} {row['mode_4_pct']}" == shares
    assert {row[share] for share in ("mode_3_in_bop_pct", "goods_pct", "out_of_scope_pct")} == {"0"}


def test_every_item_finds_shares_in_every_profile_for_both_flows(table):
    """At the item, at one above it, or in the profile fallen back on: no amount is left without a mode."""
    held = {(row["profile"], row["item_code"], flow) for row in table("mode_allocation")
            for flow in (("export", "import") if row["flow"] == "both" else (row["flow"],))}  # fmt: skip
    fallback = {row["profile"]: row["fallback_profile"] for row in table("mode_profiles")}
    for profile, next_profile in fallback.items():
        profiles = [profile, next_profile] if next_profile else [profile]
        for item in codes.ebops_items():
            if item.level == 0:
                continue
            for flow in ("export", "import"):
                assert any(
                    (one, code, flow) in held
                    for one in profiles
                    for code in (item.code, *codes.ancestors(item.code))
                ), (profile, item.code, flow)


def test_no_flow_has_two_shares_for_one_item(table):
    seen = Counter(
        (row["profile"], row["item_code"], flow)
        for row in table("mode_allocation")
        for flow in (("export", "import") if row["flow"] == "both" else (row["flow"],))
    )
    assert max(seen.values()) == 1


def test_profiles_are_those_that_the_settings_offer(table):
    assert [row["profile"] for row in table("mode_profiles")] == ["wto_base", "wto_2020s", "ons_2019"]
    assert {row["profile"] for row in table("mode_allocation")} == {"wto_base", "wto_2020s", "ons_2019"}


def test_trade_margins_have_shares_but_are_no_item(table):
    outside = {row["item_code"] for row in table("mode_allocation")} - {
        item.code for item in codes.ebops_items()
    }
    assert outside == {"SW"}


def test_the_survey_profile_is_what_the_published_workbook_gives(shared, table):
    """ONS 2019 exports to the world: mode over total, rounded to a tenth, for each of the twelve items."""
    sheet = openpyxl.load_workbook(shared / "real" / "ons_mos_exports_2019.xlsx")["Modes 1, 2 and 4"]
    figures = {}
    for country, mode, _, label, value in sheet.iter_rows(min_row=2, values_only=True):
        if country and codes.partner_code_of(country) == "W1":
            figures[codes.item_code_of(label), mode] = value
    rows = {row["item_code"]: row for row in table("mode_allocation")
            if row["profile"] == "ons_2019" and row["flow"] == "export"}  # fmt: skip
    assert len(rows) == 12
    for item, row in rows.items():
        total = Decimal(figures[item, "Total Modes 1, 2 and 4"])
        for share, mode in (("mode_1_pct", "Mode 1"), ("mode_2_pct", "Mode 2"), ("mode_4_pct", "Mode 4")):
            assert abs(Decimal(row[share]) - 100 * Decimal(figures[item, mode]) / total) <= Decimal("0.1"), (
                item
            )


def test_divisions_and_sections_are_those_of_the_standard(shared, table):
    with (shared / "real" / "gbt4754_2017.csv").open(encoding="utf-8-sig", newline="") as file:
        standard = {(row["section"], row["division"]) for row in csv.DictReader(file) if row["level"] == "2"}
    assert {(row["section_code"], row["division_code"]) for row in table("industry_items")} == standard
    assert len(standard) == 97


def test_every_industry_may_trade_something_in_both_directions_and_only_main_items(table):
    pairs = {(row["division_code"], row["flow"]) for row in table("industry_items")}
    assert len(pairs) == 97 * 2
    assert {codes.ebops_item(row["item_code"]).level for row in table("industry_items")} == {1}
    assert {row["mark"] for row in table("industry_items")} == {"P"}


def test_a_software_house_does_not_plausibly_export_transport_but_may_buy_it(table):
    plausible = {(row["division_code"], row["flow"], row["item_code"]) for row in table("industry_items")}
    assert ("65", "export", "SC") not in plausible
    assert ("65", "import", "SC") in plausible
    assert ("65", "export", "SI") in plausible
    assert ("54", "export", "SC") in plausible
    assert ("74", "export", "SE") in plausible  # design institutes build abroad
    assert ("83", "export", "SF") not in plausible
