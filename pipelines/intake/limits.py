"""How much one file may ask for: of the gate before anything opens it, and of the child that reads it.

The figures follow the threats of docs and tests (bombs, far-off cells, endless reading); a bureau with larger
forms passes its own `Limits`. Nothing is measured here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """The budget of one file.

    The first group is checked on the package before a parser sees it, the second on each sheet; rows and
    columns count only cells that hold something, so that formats dragged to the last row do no harm. The
    third is the budget of the reading process: `memory_bytes` comes on top of what the process needs empty.
    """

    file_bytes: int = 20 * MIB
    text_bytes: int = 8 * MIB  # CSV: has no compression to hide behind, and departments' tables are small
    member_count: int = 200
    member_bytes: int = 40 * MIB
    total_bytes: int = 60 * MIB
    compression_ratio: int = 150
    ratio_free_bytes: int = MIB  # below this size any ratio is harmless
    styles_bytes: int = 2 * MIB

    rows: int = 20_000
    columns: int = 60
    merges: int = 500
    merged_area: int = 100_000  # a title merged over a whole row is fine, a merged half sheet is not

    memory_bytes: int = 1024 * MIB
    cpu_seconds: int = 20
    wall_seconds: float = 30.0
    written_bytes: int = MIB
    open_files: int = 64

    def as_json(self) -> dict[str, float]:
        """For the child's command line."""
        return asdict(self)


DEFAULT_LIMITS = Limits()
