"""The departments' tables agree with the city: SAFE covers the panel, shares and targets are of the right scale."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest
from generated_city import City

from pipelines.periods import Month
from sample_data import timeline
from sample_data.indicators import PUBLISHED, SERIES


def table(city: City, name: str) -> list[list[object]]:
    [path] = (city.folder / "departments").glob(name)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_safes_items_add_up_to_its_total_within_rounding(city: City) -> None:
    rows = {str(row[1]): row for row in table(city, "DM-1*2020-06.xlsx") if row[1]}
    items = [
        row
        for label, row in rows.items()
        if label not in ("服务贸易", "货物贸易", "货物和服务贸易", "项目") and isinstance(row[2], float | int)
    ]
    assert len(items) == 12
    for column in (2, 3):
        total = sum(float(str(row[column])) for row in items)
        assert abs(total - float(str(rows["服务贸易"][column]))) <= 13 * 0.5


def test_safe_sees_somewhat_more_than_the_panel(city: City) -> None:
    seen = 0.0
    for month in range(1, 13):
        [services] = [row for row in table(city, f"DM-1*2020-{month:02d}.xlsx") if row[1] == "服务贸易"]
        seen += (float(str(services[2])) + abs(float(str(services[3])))) / 10_000
    coverage = city.summary.service_trade_usd_100m_by_year[2020] / seen
    assert 0.85 <= coverage <= 0.95


def test_one_years_clerk_writes_debits_with_a_minus_sign(city: City) -> None:
    def debits(name: str) -> list[float]:
        return [float(str(row[3])) for row in table(city, name) if isinstance(row[3], int | float)]

    assert all(value <= 0 for value in debits("DM-1*2019-12.xlsx"))
    assert all(value >= 0 for value in debits("DM-1*2020-12.xlsx"))


def test_customs_sends_gb18030_first_and_workbooks_later(city: City) -> None:
    [path] = (city.folder / "departments").glob("DM-2*2019-12.csv")
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode("gb18030"))))
    assert ["表号：DM-2", "", "", ""] in rows
    assert any(row[0] == "2019年12月" and float(row[2]) > 0 for row in rows)
    assert table(city, "DM-2*2020-12.xlsx")


def test_the_share_of_foreign_trade_is_near_the_30_per_cent_of_the_plan() -> None:
    for year in (2019, 2020):
        services, goods = timeline.city_total_usd(year), timeline.goods_total_usd(year)
        assert 0.27 <= services / (services + goods) <= 0.315


def test_exchange_rates_cover_every_month_and_the_year_before(city: City) -> None:
    names = [path.name for path in (city.folder / "departments").glob("DM-3*")]
    assert len(names) == 1 + 13
    assert "DM-3_汇率_2018.xlsx" in names
    assert {currency for currency, _, _ in timeline.exchange_rates(Month(2020, 5))} == {
        "USD",
        "EUR",
        "JPY",
        "GBP",
        "HKD",
    }
    assert all(
        6 < timeline.usd_cny(Month(year, month)) < 7.5 for year in range(2016, 2028) for month in range(1, 13)
    )


def test_departmental_indicators_are_those_the_warehouse_knows() -> None:
    from pipelines.paths import REFERENCE_DIR

    with (REFERENCE_DIR / "department_series.csv").open(encoding="utf-8", newline="") as file:
        known = {row["indicator"] for row in csv.DictReader(file)}
    assert {series[0] for series in SERIES} | {fact[0] for fact in PUBLISHED} <= known


def test_every_target_that_departments_report_has_a_figure_for_its_year() -> None:
    from pipelines.paths import REFERENCE_DIR

    with (REFERENCE_DIR / "targets.csv").open(encoding="utf-8", newline="") as file:
        wanted = {
            (row["indicator"], int(row["year"]))
            for row in csv.DictReader(file)
            if row["kind"] in ("target", "qualitative")
            and row["year"].isdecimal()
            and row["area"] not in ("总体目标", "服务外包")
        }
    available = {(name, year) for name, _, _, values in SERIES for year in values}
    assert wanted <= available, wanted - available


@pytest.mark.parametrize(
    "fact",
    [
        ("服务贸易进出口总额", 2016, "107"),
        ("服务贸易进出口总额", 2017, "96.4"),
        ("服务贸易占对外贸易比重", 2016, "31.05"),
    ],
)
def test_wuhans_published_figures_are_typed_with_their_source(fact: tuple[str, int, str]) -> None:
    [note] = [note for name, _, year, value, note in PUBLISHED if (name, year, value) == fact]
    assert "公开报道" in note
