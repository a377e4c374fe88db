"""A generated folder as its own lists describe it."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sample_data.city import CitySummary


@dataclass(frozen=True)
class City:
    """A generated folder with what its lists say."""

    folder: Path
    summary: CitySummary
    filings: list[tuple[str, datetime]]
    truths: list[dict[str, Any]]
    register: list[dict[str, str]]


def read_city(folder: Path, summary: CitySummary) -> City:
    with (folder / "filings.csv").open(encoding="utf-8", newline="") as file:
        filings = [(row["path"], datetime.fromisoformat(row["received_at"])) for row in csv.DictReader(file)]
    with (folder / "register.csv").open(encoding="utf-8", newline="") as file:
        register = list(csv.DictReader(file))
    truths = [json.loads(line) for line in (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    return City(folder, summary, filings, truths, register)
