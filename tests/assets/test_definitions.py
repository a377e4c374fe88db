"""What Dagster is told about the house: complete, described, and as it was agreed."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import dagster as dg
import pytest
import yaml
from computed_city import HOUSE, environment
from snapshot import FILE, definitions_as_data

from assets.automation import monthly, monthly_on_the_11th
from assets.definitions import defs
from assets.described import table_name
from assets.partitions import months
from pipelines.paths import REFERENCE_DIR
from pipelines.validation.rules import rule_book
from pipelines.warehouse.sqlfiles import REFERENCE_SCHEMA, catalogue


@lru_cache(maxsize=1)
def specs() -> dict[str, dg.AssetSpec]:
    return {table_name(spec.key): spec for spec in defs.resolve_all_asset_specs()}


def test_the_definitions_are_those_that_were_agreed() -> None:
    agreed = json.loads(FILE.read_text(encoding="utf-8"))
    assert definitions_as_data() == agreed, "look at the difference, then run python tests/assets/snapshot.py"


def test_every_table_is_one_asset_and_nothing_else_but_the_draft() -> None:
    reference = {f"{REFERENCE_SCHEMA}.{path.stem}" for path in REFERENCE_DIR.glob("*.csv")}
    tables = set(catalogue()) | reference | {f"{REFERENCE_SCHEMA}.units"}
    assert set(specs()) - tables == {"publication.draft"}
    assert tables - set(specs()) == set()


def test_every_asset_is_described_in_both_languages() -> None:
    undescribed = [name for name, spec in specs().items() if " / " not in (spec.description or "")]
    assert undescribed == []


def test_every_column_of_a_computed_table_is_described() -> None:
    undescribed = [
        f"{name}.{column.name}"
        for name, spec in specs().items()
        if name in catalogue()
        for column in spec.metadata["dagster/column_schema"].columns
        if not column.description
    ]
    assert undescribed == []


def test_the_columns_told_to_dagster_are_those_of_the_header() -> None:
    for name, table in catalogue().items():
        told = specs()[name].metadata["dagster/column_schema"].columns
        assert [(column.name, column.type) for column in told] == [
            (column.name, column.type) for column in table.columns
        ]


def test_every_method_page_that_an_asset_points_to_is_there() -> None:
    missing = {
        str(spec.metadata["method"])
        for spec in specs().values()
        if "method" in spec.metadata and not (HOUSE / str(spec.metadata["method"])).is_file()
    }
    assert missing == set()


def test_every_rule_is_a_check_of_its_table_under_its_own_id() -> None:
    wanted = {(rule.table, rule.id) for rule in rule_book()}
    graph = defs.resolve_asset_graph()
    assert {(table_name(key.asset_key), key.name) for key in graph.asset_check_keys} == wanted


def test_a_check_is_kept_by_month_where_its_table_is() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.asset_check_keys:
        is_by_month = catalogue()[table_name(key.asset_key)].is_partitioned
        assert (graph.get(key).partitions_def is not None) == is_by_month, key


def test_only_critical_rules_on_whole_tables_are_blocking() -> None:
    graph = defs.resolve_asset_graph()
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert blocking == {
        rule.id for rule in rule_book() if rule.level == "table" and rule.severity.value == "critical"
    }


def test_the_job_computes_every_asset() -> None:
    job = defs.resolve_job_def("monthly")
    assert {table_name(key) for key in job.asset_layer.selected_asset_keys} == set(specs())
    assert monthly.partitions_def is None  # inferred from the assets: saying it twice is deprecated


def test_a_backfill_is_one_run() -> None:
    for asset in defs.assets or []:
        assert isinstance(asset, dg.AssetsDefinition)
        if asset.partitions_def is not None:
            assert asset.backfill_policy == dg.BackfillPolicy.single_run(), asset.keys


def test_the_month_under_way_is_a_partition_and_keys_read_2020_12() -> None:
    keys = months.get_partition_keys()
    assert keys[0] == "2015-01"
    assert "2020-12" in keys
    from datetime import datetime
    from zoneinfo import ZoneInfo

    assert keys[-1] == f"{datetime.now(ZoneInfo('Asia/Shanghai')):%Y-%m}"


def test_the_schedule_computes_the_month_before_on_the_11th_at_six_shanghai_time() -> None:
    from datetime import UTC, datetime

    assert monthly_on_the_11th.cron_schedule == "0 6 11 * *"
    assert monthly_on_the_11th.execution_timezone == "Asia/Shanghai"
    # 06:00 in Shanghai is 22:00 of the day before in UTC: on the 11th of January the month is December.
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2021, 1, 10, 22, tzinfo=UTC))
    request = monthly_on_the_11th(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2020-12"


def test_loading_the_definitions_raises_no_warning_of_our_making() -> None:
    program = """
import json, warnings
from pathlib import Path
import dagster as dg
told = (DeprecationWarning, FutureWarning, dg.PreviewWarning, dg.SupersessionWarning)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from assets.definitions import defs
    defs.resolve_job_def("monthly")
ours = [w for w in caught if issubclass(w.category, told) and "site-packages" not in Path(w.filename).parts]
print(json.dumps([f"{w.filename}: {w.message}" for w in ours]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=HOUSE,
        env=environment(HOUSE / "data"),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(done.stdout) == []


def test_dagster_tells_nobody_and_greets_nobody() -> None:
    settings = yaml.safe_load((HOUSE / "dagster.yaml").read_text(encoding="utf-8"))
    assert settings["telemetry"] == {"enabled": False}
    assert settings["nux"] == {"enabled": False}
    assert settings["concurrency"]["pools"] == {"default_limit": 1, "granularity": "run"}


def test_every_step_that_touches_the_warehouse_waits_in_its_pool() -> None:
    for asset in defs.assets or []:
        assert isinstance(asset, dg.AssetsDefinition)
        assert asset.op.pool == "warehouse", asset.keys


@pytest.mark.parametrize("command", [["check", "defs"], ["list", "defs", "--json"]])
def test_dg_finds_nothing_to_say_about_the_definitions(command: list[str], tmp_path: Path) -> None:
    dg_command = Path(sys.executable).with_name("dg")
    done = subprocess.run(
        [str(dg_command), *command],
        cwd=HOUSE,
        env=environment(tmp_path, DAGSTER_HOME=str(tmp_path), NO_COLOR="1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Deprecat" not in done.stdout + done.stderr
