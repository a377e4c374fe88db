"""The split over modes of supply: which share is used, and that the parts are the whole to the last digit."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

pytestmark = pytest.mark.usefixtures("rates_of_seven")

BY_MODE = ("estimates.service_trade_by_mode",)


def parts(rows, profile: str = "wto_base", **equal: object) -> dict[str, Decimal]:
    return {
        part.mode: part.amount_usd
        for part in rows("estimates.service_trade_by_mode", "2020-03", profile=profile, **equal)
    }


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("wto_base", {"1": Decimal(81), "4": Decimal(19)}),
        ("wto_2020s", {"1": Decimal(95), "4": Decimal(5)}),
        # ONS publishes the main item only: its share for SI serves SI2
        ("ons_2019", {"1": Decimal("83.8"), "4": Decimal("16.2")}),
    ],
)
def test_computer_services_of_100_split_as_the_profile_says(bureau, rows, profile, expected):
    bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 100")
    bureau.computes("2020-03", names=BY_MODE)
    assert parts(rows, profile) == expected
    assert {part.alloc_basis for part in rows("estimates.service_trade_by_mode", "2020-03")} == {
        "profile" if profile == "wto_base" else part.alloc_basis
        for part in rows("estimates.service_trade_by_mode", "2020-03", profile=profile)
    }


def test_an_item_takes_the_share_of_the_nearest_item_above_it(bureau, row):
    bureau.files("E1", "2020-03", "item | partner | export\nSJ211 | USA | 100")
    bureau.computes("2020-03", names=BY_MODE)
    part = row("estimates.service_trade_by_mode", "2020-03", profile="wto_base", mode="4")
    assert (part.share_pct, part.share_item_code, part.alloc_basis) == (Decimal(25), "SJ21", "profile")


def test_an_item_missing_in_a_profile_falls_back_and_says_so(bureau, row, rows):
    bureau.files("E1", "2020-03", "item | partner | export\nSB | USA | 100")
    bureau.computes("2020-03", names=BY_MODE)
    assert parts(rows, "wto_2020s") == {"2": Decimal(90), "4": Decimal(10)}
    part = row("estimates.service_trade_by_mode", "2020-03", profile="wto_2020s", mode="2")
    assert part.alloc_basis == "fallback"


def test_exports_and_imports_of_transport_have_their_own_shares(bureau, rows):
    bureau.files("E1", "2020-03", "item | partner | export | import\nSC | USA | 100 | 100")
    bureau.computes("2020-03", names=BY_MODE)
    assert parts(rows, flow="export") == {"1": Decimal(65), "2": Decimal(35)}
    assert parts(rows, flow="import") == {"1": Decimal(80), "2": Decimal(20)}


def test_a_declared_remote_share_is_mode_1_and_the_rest_follows_the_profile(bureau, rows):
    bureau.files("E1", "2020-03", "item | partner | export | export_remote\nSK1 | USA | 100 | 40")
    bureau.computes("2020-03", names=BY_MODE)
    # the profile has 70 / 10 / 20: the 60 that are not remote go 1 : 2
    assert parts(rows) == {"1": Decimal(40), "2": Decimal(20), "4": Decimal(40)}
    assert {part.alloc_basis for part in rows("estimates.service_trade_by_mode", "2020-03")} == {"declared"}


def test_a_declared_share_of_an_item_that_is_all_mode_1_sends_the_rest_to_mode_4(bureau, rows):
    bureau.files("E1", "2020-03", "item | partner | export | export_remote\nSG | USA | 100 | 30")
    bureau.computes("2020-03", names=BY_MODE)
    assert parts(rows) == {"1": Decimal(30), "4": Decimal(70)}


def test_a_declared_share_of_a_hundred_leaves_nothing_for_other_modes(bureau, rows):
    bureau.files("E1", "2020-03", "item | partner | export | export_remote\nSI2 | USA | 100 | 100")
    bureau.computes("2020-03", names=BY_MODE)
    assert parts(rows) == {"1": Decimal(100)}


def test_a_declared_share_of_zero_is_a_share_and_not_a_blank(bureau, rows):
    bureau.files("E1", "2020-03", "item | partner | export | export_remote\nSI2 | USA | 100 | 0")
    bureau.computes("2020-03", names=BY_MODE)
    assert parts(rows) == {"4": Decimal(100)}


def test_the_share_declared_for_exports_does_not_touch_imports(bureau, rows):
    bureau.files(
        "E1", "2020-03", "item | partner | export | import | export_remote\nSI2 | USA | 100 | 100 | 50"
    )
    bureau.computes("2020-03", names=BY_MODE)
    assert parts(rows, flow="export") == {"1": Decimal(50), "4": Decimal(50)}
    assert parts(rows, flow="import") == {"1": Decimal(81), "4": Decimal(19)}


def test_travel_goods_and_government_stand_outside_the_modes(bureau, rows):
    bureau.files("E1", "2020-03", "item | partner | export\nSD | USA | 100\nSL | USA | 50")
    bureau.computes("2020-03", names=BY_MODE)
    assert parts(rows, item_code="SD") == {"2": Decimal("75.94"), "goods": Decimal("24.06")}
    assert parts(rows, item_code="SL") == {"out_of_scope": Decimal(50)}


def test_construction_keeps_its_mode_3_inside_the_balance_of_payments(bureau, rows):
    bureau.files("E1", "2020-03", "item | partner | export\nSE | USA | 100")
    bureau.computes("2020-03", names=BY_MODE)
    assert parts(rows) == {"3_in_bop": Decimal(50), "4": Decimal(50)}


def test_a_survey_of_the_city_goes_before_the_profile(bureau, row, rows):
    bureau.shares(
        "DM-6",
        """
        item_code | partner_code | mode | flow   | value | year
        SJ        | W1           | 1    | export | 60    | 2019
        SJ        | W1           | 4    | export | 40    | 2019
        """,
        unit="USD_10K",
    )
    bureau.files("E1", "2020-03", "item | partner | export\nSJ1 | USA | 100")
    bureau.computes("2020-03", names=BY_MODE)
    assert parts(rows) == {"1": Decimal(60), "4": Decimal(40)}
    assert (
        row("estimates.service_trade_by_mode", "2020-03", profile="wto_base", mode="1").alloc_basis == "local"
    )


def test_a_survey_in_pounds_is_of_another_economy_and_allocates_nothing_here(bureau, rows):
    bureau.shares(
        "DM-6",
        "item_code | partner_code | mode | flow | value | year\nSI | W1 | 1 | export | 5 | 2019\nSI | W1 | 4 | export | 5 | 2019",
        unit="GBP_1M",
    )
    bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 100")
    bureau.computes("2020-03", names=BY_MODE)
    assert parts(rows) == {"1": Decimal(81), "4": Decimal(19)}


def survey(bureau, rows: str, unit: str = "USD_10K") -> None:
    bureau.shares("DM-6", "item_code | partner_code | mode | flow | value | year\n" + rows, unit=unit)


def split_of_computer_services(bureau, rows) -> dict[str, Decimal]:
    bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 100")
    bureau.computes("2020-03", names=BY_MODE)
    return parts(rows)


PROFILE_SPLIT = {"1": Decimal(81), "4": Decimal(19)}


def test_a_survey_in_several_units_is_added_up_in_money(bureau, rows):
    survey(bureau, "SI2 | USA | 1 | export | 1 | 2019\nSI2 | USA | 4 | export | 1 | 2019", unit="USD_100M")
    survey(bureau, "SI2 | JPN | 1 | export | 0 | 2019\nSI2 | JPN | 4 | export | 20000 | 2019", unit="USD_10K")
    assert split_of_computer_services(bureau, rows) == {
        "1": Decimal(25),
        "4": Decimal(75),
    }


def test_a_survey_in_dollars_and_yuan_is_not_added_across_currencies(bureau, rows):
    survey(bureau, "SI2 | W1 | 1 | export | 50 | 2019\nSI2 | W1 | 4 | export | 50 | 2019", unit="USD")
    survey(bureau, "SI2 | W1 | 1 | export | 900 | 2019\nSI2 | W1 | 4 | export | 100 | 2019", unit="CNY")
    assert split_of_computer_services(bureau, rows) == {"1": Decimal(50), "4": Decimal(50)}


@pytest.mark.parametrize("mode_4", ["SI2 | W1 | 4 | export | .. | 2019", "SI1 | W1 | 4 | export | 5 | 2019"])
def test_an_item_with_a_mode_withheld_or_missing_takes_nothing_from_the_survey(bureau, rows, mode_4):
    survey(bureau, f"SI2 | W1 | 1 | export | 60 | 2019\n{mode_4}")
    assert split_of_computer_services(bureau, rows) == PROFILE_SPLIT


def test_world_and_partners_are_not_mixed_between_the_modes_of_an_item(bureau, rows):
    survey(
        bureau,
        "SI2 | W1 | 1 | export | 60 | 2019\nSI2 | W1 | 4 | export | 40 | 2019\nSI2 | USA | 1 | export | 5 | 2019",
    )
    assert split_of_computer_services(bureau, rows) == {"1": Decimal(60), "4": Decimal(40)}


def test_partners_for_one_mode_and_the_world_for_another_are_no_shares(bureau, rows):
    survey(bureau, "SI2 | W1 | 1 | export | 60 | 2019\nSI2 | USA | 4 | export | 40 | 2019")
    assert split_of_computer_services(bureau, rows) == PROFILE_SPLIT


def test_a_survey_applies_from_its_own_period_on(bureau, rows):
    survey(bureau, "SI2 | W1 | 1 | export | 60 | 2021\nSI2 | W1 | 4 | export | 40 | 2021")
    assert split_of_computer_services(bureau, rows) == PROFILE_SPLIT


def test_the_parts_of_every_line_add_up_to_it_in_both_currencies(bureau, rows):
    awkward = ["0.0001", "0.01", "33.33", "1000000.0003", "0.0007", "99999999.9999"]
    items = ["SC", "SD", "SE", "SI", "SJ22", "SK", "SK1", "SB"]
    lines = [
        f"{item} | {'JPN' if item == 'SK' else 'USA'} | {amount} | {amount} | {remote}"
        for item in items
        for amount, remote in zip(awkward, ["", "33.3333", "0", "12.5", "", "99.999999"], strict=True)
    ]
    bureau.files("E1", "2020-03", "item | partner | export | import | export_remote\n" + "\n".join(lines))
    bureau.computes("2020-03", names=BY_MODE)
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    shares: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for part in rows("estimates.service_trade_by_mode", "2020-03"):
        assert part.amount_usd >= 0
        sums[part.profile, part.line_id][0] += part.amount_usd
        sums[part.profile, part.line_id][1] += part.amount_cny
        shares[part.profile, part.line_id] += part.share_pct
    filed = {line.line_id: line for line in rows("core.service_trade", "2020-03")}
    assert len(sums) == 3 * len(filed) == 3 * 96
    for (profile, line_id), (usd, cny) in sums.items():
        assert (usd, cny) == (filed[line_id].amount_usd, filed[line_id].amount_cny), (profile, line_id)
        assert shares[profile, line_id] == 100, (profile, line_id)


def test_every_item_of_the_classification_has_shares_of_a_hundred_in_every_profile(bureau, rows):
    bureau.computes("2020-03", names=("estimates.mode_share",))
    total: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for share in rows("estimates.mode_share", "2020-03"):
        total[share.profile, share.item_code, share.flow] += share.share_pct
    items = {item.item_code for item in rows("core.item_ancestor") if item.item_code != "S"}
    assert set(total) == {
        (profile, item, flow)
        for profile in ("wto_base", "wto_2020s", "ons_2019")
        for item in items
        for flow in ("export", "import")
    }
    assert set(total.values()) == {Decimal(100)}


def test_modes_add_up_to_the_total_under_every_profile(bureau, rows, row):
    bureau.files(
        "E1",
        "2020-03",
        "item | partner | export | import\nSI2 | USA | 100.01 | 7\nSD | JPN | 33.33 | 4\nSL | JPN | 1 | 2",
    )
    bureau.computes(
        "2020-03", names=("indicators.trade_by_mode", "indicators.mode_basis", "indicators.trade_total")
    )
    for measure in ("total", "exports", "imports"):
        key = {"source": "direct_report", "measure": measure, "period": "month", "currency_code": "CNY"}
        whole = row("indicators.trade_total", "2020-03", scope="all", **key).amount
        for profile in ("wto_base", "wto_2020s", "ons_2019"):
            modes = rows("indicators.trade_by_mode", "2020-03", profile=profile, **key)
            assert len(modes) == 6
            assert sum(mode.amount for mode in modes) == whole
            assert sum(mode.share_pct for mode in modes) == pytest.approx(100)
            bases = rows("indicators.mode_basis", "2020-03", profile=profile, **key)
            assert sum(basis.amount for basis in bases) == whole


def test_the_default_profile_is_the_bureaus_choice(bureau, rows):
    bureau.files("E1", "2020-03", "item | partner | export\nSI2 | USA | 100")
    bureau.computes("2020-03", names=("indicators.trade_by_mode",), mode_profile="ons_2019")
    defaults = {mode.profile for mode in rows("indicators.trade_by_mode", "2020-03", is_default_profile=True)}
    assert defaults == {"ons_2019"}


def test_mode_basis_says_how_much_rests_on_what_enterprises_declared(bureau, row):
    bureau.files(
        "E1", "2020-03", "item | partner | export | export_remote\nSI2 | USA | 30 | 50\nSJ1 | USA | 70 |"
    )
    bureau.computes("2020-03", names=("indicators.mode_basis",))
    key = {"profile": "wto_base", "measure": "total", "period": "month", "currency_code": "USD"}
    assert row("indicators.mode_basis", "2020-03", alloc_basis="declared", **key).share_pct == pytest.approx(
        30
    )
    assert row("indicators.mode_basis", "2020-03", alloc_basis="profile", **key).share_pct == pytest.approx(
        70
    )
