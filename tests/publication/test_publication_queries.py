"""What the queries of sql/publication print for given indicators."""

from __future__ import annotations

import csv
import re
from decimal import Decimal

import pytest
from publication_city import MONTH, Warehouse

from pipelines.paths import REFERENCE_DIR, SQL_DIR
from pipelines.publication.tables import Cell, PrintedTable, Row, formatted, publication_model


def row(table: PrintedTable, code: str) -> Row:
    [found] = [one for one in table.rows if one.code == code]
    return found


def cell(warehouse: Warehouse, number: int, code: str, column: str) -> Cell:
    return row(warehouse.table(number), code).cells[column]


def shown(warehouse: Warehouse, number: int, code: str, column: str) -> str:
    spec = publication_model().tables[number - 1]
    one = next(each for each in spec.columns if each.code == column)
    return formatted(cell(warehouse, number, code, column), one, "zh")


_TOTAL_MONTH = "measure = 'total' and scope = 'all' and period = 'month' and currency_code = 'USD'"


@pytest.mark.parametrize(
    ("dollars", "printed"),
    [
        ("500000.0000", "0.01"),  # exactly half of the last digit goes up
        ("499999.9999", "…"),  # below it there is something, but less than half a unit
        ("0.0000", "0.00"),
        ("1234500000.0000", "12.35"),
        ("1234499999.9999", "12.34"),
        ("-1234500000.0000", "-12.35"),
    ],
)
def test_an_amount_is_rounded_once_and_half_up(warehouse: Warehouse, dollars: str, printed: str) -> None:
    warehouse.update("indicators.trade_total", f"amount = {dollars}", _TOTAL_MONTH)
    warehouse.build()
    assert shown(warehouse, 1, "total", "month_usd") == printed


@pytest.mark.parametrize(
    ("growth", "reason", "printed"),
    [
        ("9.95", "null", "10.0"),
        ("-0.04", "null", "0.0"),
        ("-33.25", "null", "-33.3"),
        ("1000", "null", "1,000.0"),
        ("1250", "null", "12.5倍"),
        ("null", "'base_not_positive'", "—"),
        ("null", "'months_1_2'", "—"),
        ("null", "'no_base'", ""),
        ("null", "'months_missing'", ""),
        ("null", "'not_reported'", ""),
    ],
)
def test_growth_has_one_decimal_and_says_why_where_it_has_none(
    warehouse: Warehouse, growth: str, reason: str, printed: str
) -> None:
    warehouse.update(
        "indicators.trade_total", f"growth_pct = {growth}, growth_blank_reason = {reason}", _TOTAL_MONTH
    )
    warehouse.build()
    assert shown(warehouse, 1, "total", "month_usd_growth_pct") == printed


def test_what_was_not_reported_is_blank_and_not_zero(warehouse: Warehouse) -> None:
    warehouse.update("indicators.trade_total", "amount = null, growth_pct = null", _TOTAL_MONTH)
    warehouse.build()
    assert cell(warehouse, 1, "total", "month_usd") == Cell(value=None, text=None, symbol="")


def test_an_empty_warehouse_prints_blanks_and_dashes_but_no_figure(empty_warehouse: Warehouse) -> None:
    empty_warehouse.build()
    for table in empty_warehouse.tables():
        for one in table.rows:
            for code, printed in one.cells.items():
                assert printed.value is None, (table.spec.name, one.code, code)


@pytest.mark.parametrize(
    ("amount", "base", "printed"),
    [
        ("100000000", "-50000000", "由逆转顺"),
        ("-100000000", "50000000", "由顺转逆"),
        ("-100000000", "-50000000", "—"),
        ("100000000", "50000000", "—"),
        ("100000000", "null", ""),
    ],
)
def test_a_balance_has_no_growth_rate_and_a_turn_is_put_in_words(
    warehouse: Warehouse, amount: str, base: str, printed: str
) -> None:
    where = _TOTAL_MONTH.replace("total", "balance", 1)
    warehouse.update("indicators.trade_total", f"amount = {amount}, base_amount = {base}", where)
    warehouse.build()
    assert shown(warehouse, 1, "balance", "month_usd_growth_pct") == printed


def test_a_deficit_keeps_its_sign_in_the_column_and_is_positive_in_the_sentence(warehouse: Warehouse) -> None:
    where = "measure = 'balance' and scope = 'all' and period = 'ytd'"
    warehouse.update("indicators.trade_total", "amount = -1234000000", f"{where} and currency_code = 'USD'")
    warehouse.update("indicators.trade_total", "amount = -8073000000", f"{where} and currency_code = 'CNY'")
    warehouse.build()
    table = warehouse.table(1)
    assert row(table, "balance").cells["ytd_usd"].value == Decimal("-12.34")
    [sentence] = [note for note in table.notes if "逆差" in note.zh and note.zh.startswith("1—12月")]
    assert sentence.zh == "1—12月服务进出口逆差12.34亿美元（80.73亿元人民币）。"
    assert sentence.en == "Jan–Dec: services deficit of USD 1234 million (CNY 8073 million)."


def test_the_change_of_a_share_is_in_percentage_points(city: Warehouse) -> None:
    [note] = [note for note in city.table(1).notes if "占对外贸易" in note.zh]
    assert "比重为28.9%，比上年同期提高1.2个百分点" in note.zh
    assert "up 1.2 percentage points" in note.en


def test_the_twelve_categories_stand_in_the_order_of_the_ministry(city: Warehouse) -> None:
    with (REFERENCE_DIR / "mofcom_categories.csv").open(encoding="utf-8") as file:
        ministry = [(line["item_code"], line["category_zh"]) for line in csv.DictReader(file)]
    printed = [(one.code, one.label.zh) for one in city.table(2).rows]
    assert [code for code, _ in ministry][:4] == ["SC", "SD", "SE", "SF"]
    assert printed == [
        ("total", "合计"),
        *ministry,
        ("knowledge_intensive", "其中：知识密集型服务"),
        ("excluding_travel", "剔除旅行"),
    ]


def test_ten_countries_are_ranked_and_what_names_no_country_is_not_among_them(city: Warehouse) -> None:
    table = city.table(3)
    ranked = [one for one in table.rows if one.indent == 1]
    amounts = [one.cells["total_ytd_usd"].value for one in ranked]
    assert len(ranked) == 10
    assert amounts == sorted(amounts, reverse=True, key=lambda value: value or 0)
    assert "_X" not in {one.code for one in ranked}
    assert [one.code for one in table.rows[-3:]] == ["BRI", "RCEP", "HMT"]


def test_a_district_without_enterprises_is_not_applicable_and_one_that_did_not_report_is_blank(
    warehouse: Warehouse,
) -> None:
    warehouse.insert(
        "indicators.reporting",
        [
            {
                "month_start_date": MONTH.start_date,
                "district_code": "420112",
                "expected_count": 2,
                "filed_count": 0,
            }
        ],
    )
    warehouse.build()
    assert shown(warehouse, 4, "420112", "total_month_usd") == ""  # on the register, silent
    assert shown(warehouse, 4, "420113", "total_month_usd") == "—"  # nobody there to ask


def test_the_modes_add_up_to_the_total_to_the_last_digit(city: Warehouse) -> None:
    table = city.table(7)
    parts = ("mode_1", "mode_2", "mode_4", "mode_3_in_bop", "goods", "out_of_scope")
    for column in ("ytd_total_usd", "ytd_exports_usd", "ytd_imports_usd", "month_total_usd"):
        printed = [row(table, code).cells[column] for code in parts]
        assert (
            sum((one.value or Decimal(0) for one in printed), Decimal(0))
            == row(table, "total").cells[column].value
        )


@pytest.mark.parametrize(
    ("dollars", "hundredths"), [(("1",) * 3, 1), (("1.004", "1.004", "0.992"), 300), (("0.335",) * 3, 101)]
)
def test_largest_remainder_gives_the_hundredths_left_to_the_largest_cuts(
    warehouse: Warehouse, dollars: tuple[str, ...], hundredths: int
) -> None:
    scale = Decimal(1_000_000) / 3 if dollars[0] == "1" else Decimal(100_000_000)
    where = "measure = 'total' and period = 'ytd'"
    warehouse.con.execute("delete from indicators.trade_by_mode where mode not in ('1', '2', '4')")
    for mode, share in zip(("1", "2", "4"), dollars, strict=True):
        warehouse.update(
            "indicators.trade_by_mode",
            f"amount = {round(Decimal(share) * scale, 4)}",
            f"{where} and mode = '{mode}'",
        )
    warehouse.build()
    table = warehouse.table(7)
    printed = [row(table, f"mode_{mode}").cells["ytd_total_usd"].value or Decimal(0) for mode in (1, 2, 4)]
    assert sum(printed, Decimal(0)) == Decimal(hundredths) / 100


def test_table_7_prints_the_profile_its_vintage_and_the_result_under_the_others(city: Warehouse) -> None:
    table = city.table(7)
    headings = [one.label.zh for one in table.rows if one.is_heading]
    assert headings[0] == "本表分摊方案：世贸组织基准比例（wto_base，TISMOS 2005-2019）"
    assert any("wto_2020s" in heading for heading in headings)
    assert any("ons_2019" in heading for heading in headings)
    assert any("wto_base" in note.zh and "TISMOS 2005-2019" in note.zh for note in table.notes)
    assert any("43.7%按企业填报" in note.zh and "56.3%" in note.zh for note in table.notes)


def test_another_profile_of_the_bureau_changes_which_one_stands_first(warehouse: Warehouse) -> None:
    warehouse.build(mode_profile="wto_2020s")
    table = warehouse.table(7)
    assert "wto_2020s" in table.rows[0].label.zh
    assert [one.code for one in table.rows if one.code.endswith("mode_1")] == [
        "mode_1",
        "wto_base_mode_1",
        "ons_2019_mode_1",
    ]


def test_commercial_presence_stands_beside_with_its_year_and_in_no_total(city: Warehouse) -> None:
    table = city.table(7)
    presence = row(table, "commercial_presence_2019")
    assert "2019年" in presence.label.zh
    assert presence.cells["ytd_exports_usd"].value == Decimal("412.00")
    assert [
        presence.cells[code].symbol
        for code in ("ytd_total_usd", "month_exports_usd", "ytd_exports_share_pct")
    ] == ["—"] * 3


def test_the_two_headline_targets_come_first(city: Warehouse) -> None:
    first, second = city.table(8).rows[:2]
    assert (first.code, second.code) == ("headline_T004", "headline_T005")
    words = [
        formatted(first.cells["target_text"], city.table(8).spec.columns[1], language)
        for language in ("zh", "en")
    ]
    assert words == ["＞200", ">200"]


@pytest.mark.parametrize(
    ("target", "zh", "en"),
    [
        ("T063", "≤13左右", "≤ about 13"),  # 下降到13%左右: lower is better
        ("T064", "约20", "about 20"),
        ("T068", "3—5", "3–5"),
        ("T030", "≥10", "≥10"),
        ("T050", "定性", "qualitative"),
    ],
)
def test_a_target_is_printed_with_its_comparator(city: Warehouse, target: str, zh: str, en: str) -> None:
    text = row(city.table(8), f"target_{target}").cells["target_text"].text
    assert text is not None
    assert (text.zh, text.en) == (zh, en)


def test_a_target_without_data_is_not_printed_but_a_headline_target_always_is(warehouse: Warehouse) -> None:
    warehouse.update(
        "indicators.target_progress",
        "value = null, achieved_pct = null, gap = null",
        "target_id in ('T004', 'T051')",
    )
    warehouse.build()
    codes = {one.code for one in warehouse.table(8).rows}
    assert "headline_T004" in codes
    assert "target_T051" not in codes
    assert shown(warehouse, 8, "headline_T004", "value") == ""


def test_a_period_within_a_year_is_said_in_words(warehouse: Warehouse) -> None:
    warehouse.update(
        "indicators.target_progress",
        "measured_start_date = '2020-01-01', measured_end_date = '2020-08-31'",
        "target_id = 'T004'",
    )
    warehouse.build()
    text = row(warehouse.table(8), "headline_T004").cells["value_period"].text
    assert text is not None
    assert (text.zh, text.en) == ("2020年1—8月", "Jan–Aug 2020")


def test_every_words_of_a_target_have_an_english_name(city: Warehouse) -> None:
    for one in city.table(8).rows:
        assert not re.search("[\u4e00-\u9fff]", one.label.en), one.label.en
        for code in ("unit", "target_text", "status"):
            text = one.cells[code].text if one.cells else None
            assert text is None or not re.search("[\u4e00-\u9fff]", text.en), text.en


def test_reporting_shows_expected_filed_zero_and_late_apart(city: Warehouse) -> None:
    total = row(city.table(9), "total")
    counts = ("expected_count", "filed_count", "zero_return_count", "late_count", "not_filed_count")
    assert [total.cells[code].value for code in counts] == [100, 92, 10, 11, 8]
    assert total.cells["response_rate_pct"].value == Decimal("92.0")
    assert total.cells["coverage_pct"].value == Decimal("71.8")
    assert row(city.table(9), "420102").cells["coverage_pct"].symbol == "—"


def test_a_total_that_its_rounded_parts_miss_is_explained_and_never_changed(city: Warehouse) -> None:
    table = city.table(2)
    column = next(
        code
        for code in (
            "total_month_usd",
            "total_ytd_usd",
            "exports_month_usd",
            "exports_ytd_usd",
            "imports_month_usd",
            "imports_ytd_usd",
        )
        if sum((one.cells[code].value or Decimal(0) for one in table.rows if one.indent == 1), Decimal(0))
        != row(table, "total").cells[code].value
    )
    measure, period = column.removesuffix("_usd").rsplit("_", 1)
    [(exact,)] = city.con.execute(
        "select round(amount / 100000000, 2) from indicators.trade_total where scope = 'all' and currency_code = 'USD' "
        "and measure = ? and period = ?",
        [measure, period],
    ).fetchall()
    assert float(row(table, "total").cells[column].value or 0) == pytest.approx(exact)
    assert any("未作机械调整" in note.zh for note in table.notes)


def test_growth_that_is_blank_for_want_of_a_base_year_is_explained(warehouse: Warehouse) -> None:
    warehouse.update("indicators.trade_total", "growth_pct = null, growth_blank_reason = 'no_base'", "true")
    warehouse.build()
    assert any("无上年同期数" in note.zh for note in warehouse.table(1).notes)


def test_a_month_built_twice_has_the_same_rows(warehouse: Warehouse) -> None:
    warehouse.build()
    once = warehouse.tables()
    warehouse.build()
    assert warehouse.tables() == once


def test_decimals_of_the_model_are_reached_by_the_figures_of_the_queries(city: Warehouse) -> None:
    """A column that never uses its last decimal is rounded too early."""
    for table in city.tables():
        for column in table.spec.columns:
            if column.kind not in ("amount", "percent") or column.decimals == 0:
                continue
            values = [one.cells[column.code].value for one in table.rows if one.cells]
            scales = {-int(value.normalize().as_tuple().exponent) for value in values if value is not None}
            assert max(scales, default=column.decimals) >= column.decimals, (table.spec.name, column.code)


def test_queries_use_no_symbol_that_the_legend_does_not_explain() -> None:
    marks = {symbol.mark for symbol in publication_model().symbols}
    for path in sorted((SQL_DIR / "publication").glob("table_0*.sql")):
        text = "\n".join(
            line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("--")
        )
        for mark in re.findall(r"then '([—…*]?)'", text):
            assert mark in marks, path.name


def withhold(warehouse: Warehouse, dimension: str, code: str, measure: str, *, is_all: bool) -> None:
    warehouse.insert(
        "core.withheld_count",
        [
            {
                "month_start_date": MONTH.start_date,
                "dimension": dimension,
                "code": code,
                "measure": measure,
                "period": period,
                "enterprise_count": 2,
                "line_count": 3,
                "is_all_withheld": is_all,
            }
            for period in ("month", "ytd")
        ],
    )


def test_what_is_all_withheld_is_a_star_and_not_a_blank(warehouse: Warehouse) -> None:
    parts = [(1, "scope", "total", "imports", "imports", "month_usd")]
    parts += [(2, "item", "SL", "imports", "SL", "imports_month_usd")]
    parts += [(3, "group", "HMT", "imports", "HMT", "imports_ytd_usd")]
    parts += [(4, "district", "420102", "imports", "420102", "imports_month_usd")]
    parts += [(5, "outsourcing", "offshore_KPO", "executed", "offshore_KPO", "executed_month_usd")]
    for _, dimension, code, measure, _, _ in parts:
        withhold(warehouse, dimension, code, measure, is_all=True)
    warehouse.build()
    for number, _, _, _, row_code, column in parts:
        assert shown(warehouse, number, row_code, column) == "*", number
    assert shown(warehouse, 1, "imports", "month_usd_growth_pct") == "*"


def test_what_is_withheld_in_part_is_a_figure_still_preliminary_with_a_note(warehouse: Warehouse) -> None:
    def printed() -> tuple[object, ...]:
        [found] = warehouse.con.execute(
            "select value, status from publication.table_01 where row_code = 'total' and column_code = 'month_usd'"
        ).fetchall()
        return tuple(found)

    warehouse.update("indicators.trade_total", "status = 'final'", "true")
    warehouse.build()
    value, status = printed()
    assert status == "final"
    withhold(warehouse, "scope", "total", "total", is_all=False)
    warehouse.build()
    assert printed() == (value, "preliminary")
    notes = {
        (table, text_zh)
        for table, text_zh in warehouse.con.execute(
            "select table_name, text_zh from publication.table_note where note_code = 'withheld'"
        ).fetchall()
    }
    assert notes == {(f"table_0{number}", "1—12月另有2家企业（3项）保密未计入。") for number in (1, 2, 3, 4)}


def test_the_note_gives_each_currency_its_own_sign(warehouse: Warehouse) -> None:
    where = "measure = 'balance' and scope = 'all' and period = 'ytd' and source = 'direct_report'"
    warehouse.update("indicators.trade_total", "amount = -100000000", where + " and currency_code = 'USD'")
    warehouse.update("indicators.trade_total", "amount = 200000000", where + " and currency_code = 'CNY'")
    warehouse.build()
    [(zh, en)] = warehouse.con.execute(
        "select text_zh, text_en from publication.table_note where note_code = 'balance'"
    ).fetchall()
    assert zh == "1—12月服务进出口逆差1.00亿美元（按人民币计顺差2.00亿元人民币）。"
    assert en.endswith("deficit of USD 100 million (a surplus of CNY 200 million).")


def test_the_note_on_the_basis_stays_when_no_enterprise_declared_a_share(warehouse: Warehouse) -> None:
    warehouse.con.execute("delete from indicators.mode_basis where alloc_basis = 'declared'")
    warehouse.update(
        "indicators.mode_basis", "alloc_basis = 'local', share_pct = 30", "alloc_basis = 'fallback'"
    )
    warehouse.update("indicators.mode_basis", "share_pct = 70", "alloc_basis = 'profile'")
    warehouse.build()
    [(zh,)] = warehouse.con.execute(
        "select text_zh from publication.table_note where note_code = 'basis'"
    ).fetchall()
    assert zh == "1—12月进出口额中，0.0%按企业填报的占比分摊，30.0%按本市调查分摊，70.0%按方案比例分摊。"


def test_a_department_that_is_not_named_is_still_said_to_be_a_department(warehouse: Warehouse) -> None:
    warehouse.update("indicators.target_progress", "department = ''", "measured_source = 'department'")
    warehouse.build()
    rows = [one for one in warehouse.table(8).rows if "data_source" in one.cells]
    sources = {shown(warehouse, 8, one.code, "data_source") for one in rows}
    assert "部门数据（未写明部门）" in sources
    assert "统计局" not in sources


def test_contracts_of_direct_reports_stand_below_the_departments_and_are_not_added(
    warehouse: Warehouse,
) -> None:
    warehouse.build()
    before = {one.code: one.cells["month_value"].value for one in warehouse.table(6).rows}
    assert before["contract_amount_import"] == 4700
    warehouse.insert("indicators.technology_contracts", [
        {"month_start_date": MONTH.start_date, "source": "direct_report", "flow": "import", "measure": "contract_amount",
         "period": "month", "currency_code": "USD", "amount": Decimal(5_000_000), "status": "preliminary"}
    ])  # fmt: skip
    warehouse.build()
    after = {one.code: one.cells["month_value"].value for one in warehouse.table(6).rows}
    assert after["direct_contract_amount_import"] == 500
    assert {code: value for code, value in after.items() if not code.startswith("direct_")} == {
        code: value for code, value in before.items() if not code.startswith("direct_")
    }
