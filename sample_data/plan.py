"""Who files what and when: late, missing and repeated returns, mistakes and their corrections.

Decided for the whole city at once, before any workbook is written, so that the outcome does not depend on how
many processes write. What a mistake does to a return is not here (`mistakes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from pipelines.periods import Month
from sample_data.enterprises import Enterprise
from sample_data.mistakes import KINDS, Kind

HarmlessMark = Literal["is_duplicated", "is_revised", "is_refiled_unmarked", "is_late"]
NOT_FILED_SHARE = 0.021
UNMENDED_QUERY_SHARE = 0.0165
UNMENDED_REJECTION_SHARE = 0.0165
DUPLICATE_SHARE = 0.010
REVISION_SHARE = 0.018
UNMARKED_SHARE = 0.004
LATE_SHARE = 0.030
DEADLINE_DAY = 10


@dataclass(frozen=True, slots=True)
class Intent:
    """What happens to one expected return."""

    enterprise_number: int
    position: int  # of the month
    is_filed: bool = True
    mistake: str = ""
    is_mended: bool = True  # a correct return follows (where there is a mistake)
    is_duplicated: bool = False
    is_revised: bool = False  # accepted, then better figures with the mark 更正
    is_refiled_unmarked: bool = False  # accepted, then other figures without the mark
    is_late: bool = False


def plan_returns(
    register: Sequence[Enterprise],
    months: Sequence[Month],
    seed: int,
    error_share: float,
) -> tuple[Intent, ...]:
    """One intent for every expected return, ordered by enterprise and month."""
    planner = _Planner(register, months, seed)
    if error_share > 0:
        planner.leave_out(NOT_FILED_SHARE)
        planner.plant(error_share)
        planner.mark(DUPLICATE_SHARE, "is_duplicated")
        planner.mark(REVISION_SHARE, "is_revised")
        planner.mark(UNMARKED_SHARE, "is_refiled_unmarked")
        planner.mark(LATE_SHARE, "is_late")
    return tuple(planner.intents[key] for key in sorted(planner.intents))


class _Planner:
    """Holds the draw while it is made; `taken` are returns that nothing further may happen to."""

    def __init__(self, register: Sequence[Enterprise], months: Sequence[Month], seed: int) -> None:
        self.register = register
        self.months = months
        self.rng = Random(f"{seed}/plan")
        self.intents: dict[tuple[int, int], Intent] = {
            (enterprise.number, position): Intent(enterprise.number, position)
            for enterprise in register
            for position, month in enumerate(months)
            if enterprise.is_expected(month)
        }
        self.taken: set[tuple[int, int]] = set()
        self.order = list(self.intents)
        self.expected_count = len(self.order)
        self.stale_count = 0
        self.rng.shuffle(self.order)

    def leave_out(self, share: float) -> None:
        """Returns that never come; not from the enterprises that the bureau rings."""
        wanted = round(self.expected_count * share)
        for key in self._free():
            if wanted == 0:
                return
            if self.register[key[0]].is_major:
                continue
            self.intents[key] = replace(self.intents[key], is_filed=False)
            self._take(key)
            wanted -= 1

    def plant(self, share: float) -> None:
        """Mistakes in turn of a shuffled deck, each on a return that offers what it needs."""
        wanted = round(self.expected_count * share)
        deck: list[Kind] = []
        while len(deck) < wanted:
            # Every round of the deck begins with one of each, so that small cities see many kinds.
            one_round = [kind for kind in KINDS for _ in range(kind.weight)]
            self.rng.shuffle(one_round)
            firsts = list(KINDS) if not deck else []
            self.rng.shuffle(firsts)
            deck.extend(firsts + one_round)
        planted: list[tuple[tuple[int, int], Kind]] = []
        for kind in deck[:wanted]:
            key = next((key for key in self._free() if self._suits(key, kind)), None)
            if key is None:
                continue
            self.intents[key] = replace(self.intents[key], mistake=kind.key)
            planted.append((key, kind))
            self._take(key)
            if "year_of_history" in kind.needs:
                self.taken.update((key[0], earlier) for earlier in range(key[1]))
        self.rng.shuffle(planted)
        for verdict, unmended_share in (
            ("queries", UNMENDED_QUERY_SHARE),
            ("rejected", UNMENDED_REJECTION_SHARE),
        ):
            candidates = [
                key
                for key, kind in planted
                if kind.verdict == verdict and kind.is_attributable and not self.register[key[0]].is_major
            ]
            for key in candidates[: round(self.expected_count * unmended_share)]:
                self.intents[key] = replace(self.intents[key], is_mended=False)

    def mark(self, share: float, attribute: HarmlessMark) -> None:
        """Set one of the harmless attributes on so many returns that nothing else happens to."""
        wanted = round(self.expected_count * share)
        for key in self._free():
            if wanted == 0:
                return
            if self._is_idle(key) and attribute not in ("is_late", "is_duplicated"):
                continue
            self.intents[key] = replace(
                self.intents[key],
                is_duplicated=attribute == "is_duplicated",
                is_revised=attribute == "is_revised",
                is_refiled_unmarked=attribute == "is_refiled_unmarked",
                is_late=attribute == "is_late",
            )
            self.taken.add(key)
            wanted -= 1

    def _free(self) -> Iterator[tuple[int, int]]:
        return (key for key in self.order if key not in self.taken)

    def _take(self, key: tuple[int, int]) -> None:
        """The neighbours stay as they are, so that last month's accepted return is there to compare with."""
        number, position = key
        self.taken.update(((number, position - 1), key, (number, position + 1)))
        self.stale_count += 3
        if (
            self.stale_count > len(self.order) // 8
        ):  # scan past them no longer; a new list, so that scans go on
            self.order = [free for free in self.order if free not in self.taken]
            self.stale_count = 0

    def _is_idle(self, key: tuple[int, int]) -> bool:
        return self.register[key[0]].profile.is_seasonal

    def _suits(self, key: tuple[int, int], kind: Kind) -> bool:
        number, position = key
        enterprise = self.register[number]
        if enterprise.profile.is_seasonal:
            # Its figures are below the rules' floor: only mistakes of the file and of the head are unmistakable.
            return not kind.needs and not kind.is_attributable
        month = self.months[position]
        first = max(enterprise.first, self.months[0])
        offered = {"outsourcing" if enterprise.is_outsourcing else "no_outsourcing"}
        offered.add("cny" if enterprise.unit_code.startswith("CNY") else "usd")
        if enterprise.unit_code in ("USD_10K", "CNY_10K"):
            offered.add("unit_10k")
        if enterprise.unit_code == "USD_1K":
            offered.add("unit_1k")
        if enterprise.has_parent_rows:
            offered.add("parents")
        if enterprise.profile.key == "software":
            offered.add("software")
        if enterprise.profile.key != "insurance":
            offered.add("no_insurance")
        if any(line.annual_import_usd for line in enterprise.lines):
            offered.add("imports")
        if any((line.export_remote_pct, line.import_remote_pct) != (None, None) for line in enterprise.lines):
            offered.add("remote")
        if month > first:
            offered.add("history")
        if month.month != 1:
            offered.add("not_january")
        if month.month == 1 or month == first:
            offered.add("january")
        if month >= first.plus(12) and not any(
            (number, earlier) in self.taken for earlier in range(position)
        ):
            offered.add("year_of_history")
        return kind.needs <= offered
