"""How much one file may ask for: of the gate before anything opens it, and of the child that reads it; and how much
may come at once.

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


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """The budget of one upload: the files that a person hands in with one press of a button.

    `sent_bytes` is what may travel; archives are unpacked within `unpacked_bytes` and may have `member_count`
    entries, folders and the debris of operating systems included. How far one file may be compressed is for
    `Limits` to say.
    """

    file_count: int = 300
    file_bytes: int = 10 * MIB
    sent_bytes: int = 80 * MIB
    member_count: int = 900
    unpacked_bytes: int = 300 * MIB


DEFAULT_UPLOAD_LIMITS = UploadLimits()
