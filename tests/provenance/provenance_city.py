"""The month that the provenance tests explain, and the first month of the city behind it."""

from __future__ import annotations

from pipelines.periods import Month

MONTH = Month(2020, 2)
FIRST = Month(2019, 1)
