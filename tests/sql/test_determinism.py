"""The same input gives the same rows in the same order: the promise behind byte-for-byte rebuilds."""

from __future__ import annotations

import random

import pytest

from pipelines.warehouse.sqlfiles import catalogue

STATISTICS = tuple(
    name
    for name, table in catalogue().items()
    if not table.is_loaded and table.schema in ("raw", "validated", "core", "estimates", "indicators")
)
ITEMS = [
    "SC11",
    "SC12",
    "SD",
    "SE1",
    "SF",
    "SG",
    "SH2",
    "SI1",
    "SI2",
    "SI3",
    "SJ1",
    "SJ22",
    "SJ311",
    "SK1",
    "SK21",
    "SL",
]
PARTNERS = ["USA", "JPN", "SGP", "DEU", "HKG", "_X"]


def fill(bureau, seed: int) -> None:
    """Twenty enterprises over four months with everything in it: versions, units, contracts, departments."""
    chance = random.Random(seed)
    order = [
        (enterprise, month)
        for month in ("2019-01", "2019-02", "2020-01", "2020-02")
        for enterprise in range(20)
    ]
    for enterprise, month in order:
        rows = [
            f"{item} | {chance.choice(PARTNERS)} | {chance.randrange(1, 99999) / 100} | {chance.randrange(0, 500)} | {chance.choice(['', '35'])}"
            for item in chance.sample(ITEMS, 5)
        ]
        bureau.files(
            f"E{enterprise:02d}",
            month,
            "item | partner | export | import | export_remote\n" + "\n".join(rows),
            f"contract_no | type | shore | contract_amount | executed\nC{enterprise} | ITO | offshore | 100 | 7",
            unit=chance.choice(["USD_10K", "CNY_10K", "USD"]),
            verdict=chance.choice(["accepted", "accepted", "accepted", "queries"]),
        )
    bureau.shares(
        "DM-3",
        "month | currency_code | rate | per\n"
        + "\n".join(
            f"{month} | USD | {6.5 + place / 8} | 1"
            for place, month in enumerate(("2019-01", "2019-02", "2020-01", "2020-02"))
        ),
    )
    bureau.shares("DM-2", "month | export | import\n2020-01 | 3 | 4\n2020-02 | 5 | 6", unit="USD_100M")
    bureau.shares(
        "DM-1",
        "month | item_code | credit | debit\n2020-01 | S | 3 | 4\n2020-01 | G | 5 | 6",
        unit="CNY_100M",
    )
    bureau.shares("DM-4", "indicator | period | value | unit\n服务贸易进出口总额 | 2017 | 96.4 | 亿美元")


@pytest.fixture
def computed(con):
    """All rows of all tables, as text in the order of the table."""

    def read() -> dict[str, list[tuple[object, ...]]]:
        return {name: con.execute(f"select * from {name}").fetchall() for name in STATISTICS}

    return read


MONTHS = ("2019-01", "2019-02", "2020-01", "2020-02")


def test_two_runs_give_the_same_rows_in_the_same_order(bureau, computed):
    fill(bureau, seed=1)
    bureau.computes(*MONTHS, names=STATISTICS)
    first = computed()
    assert sum(map(len, first.values())) > 5_000
    bureau.computes(*MONTHS, names=STATISTICS)
    assert computed() == first


def test_the_number_of_threads_changes_nothing(bureau, computed, con):
    fill(bureau, seed=2)
    con.execute("set threads = 1")
    bureau.computes(*MONTHS, names=STATISTICS)
    alone = computed()
    con.execute("set threads = 4")
    bureau.computes(*MONTHS, names=STATISTICS)
    con.execute("set threads = 2")
    assert computed() == alone


def test_the_order_in_which_cells_arrive_changes_nothing(bureau, computed):
    fill(bureau, seed=3)
    bureau.computes(*MONTHS, names=STATISTICS)
    in_order = computed()
    random.Random(4).shuffle(bureau.return_cells)
    random.Random(5).shuffle(bureau.department_cells)
    random.Random(6).shuffle(bureau.submissions)
    bureau.computes(*MONTHS, names=STATISTICS)
    assert computed() == in_order


def test_building_a_month_again_leaves_every_month_as_it_was(bureau, computed):
    fill(bureau, seed=7)
    bureau.computes(*MONTHS, names=STATISTICS)
    before = {name: sorted(rows, key=repr) for name, rows in computed().items()}
    bureau.computes("2020-01", names=STATISTICS)
    assert {name: sorted(rows, key=repr) for name, rows in computed().items()} == before
