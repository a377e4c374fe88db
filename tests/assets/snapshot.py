"""What the definitions consist of, as plain data; `python tests/assets/snapshot.py` writes definitions.json.

Look at the difference before committing it: a key that is gone is a table that others may read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg

FILE = Path(__file__).with_name("definitions.json")


def definitions_as_data() -> dict[str, Any]:
    """Every asset with group, upstream keys, partitions and checks; jobs, schedules and sensors by name."""
    from assets.definitions import defs

    graph = defs.resolve_asset_graph()
    checks: dict[dg.AssetKey, list[str]] = {}
    for key in graph.asset_check_keys:
        checks.setdefault(key.asset_key, []).append(key.name)
    assets = {}
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        assets[key.to_user_string()] = {
            "group": node.group_name,
            "reads": sorted(parent.to_user_string() for parent in node.parent_keys),
            "by_month": node.partitions_def is not None,
            "checks": sorted(checks.get(key, [])),
        }
    repository = defs.get_repository_def()
    return {
        "assets": assets,
        "jobs": sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
        "schedules": sorted(schedule.name for schedule in repository.schedule_defs),
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(definitions_as_data(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
