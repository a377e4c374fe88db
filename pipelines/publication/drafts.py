"""A month's draft: the tables as last computed, as a workbook and as data, with a manifest of what went in.

One folder a month, replaced whole or not at all. Approval and release are not here: a draft is nobody's promise.
"""

from __future__ import annotations

import csv
import ctypes
import errno
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.findings import Wording
from pipelines.paths import EXPECTATIONS_DIR, REFERENCE_DIR, SQL_DIR
from pipelines.periods import Month
from pipelines.publication.render import csv_field
from pipelines.publication.tables import (
    NOTE_TABLE,
    NoteRow,
    PrintedTable,
    PublicationRow,
    model_path,
    printed_table,
    publication_model,
)
from pipelines.publication.workbook import Imprint, write_workbook
from pipelines.settings import Settings

PUBLICATION_TABLES: tuple[str, ...] = (*(spec.name for spec in publication_model().tables), NOTE_TABLE)
MANIFEST = "manifest.json"

_ROW_SCHEMA = pa.schema(
    [
        ("month_start_date", pa.date32()),
        ("row_number", pa.int32()),
        ("row_code", pa.string()),
        ("label_zh", pa.string()),
        ("label_en", pa.string()),
        ("indent", pa.int32()),
        ("column_code", pa.string()),
        ("value", pa.decimal128(24, 6)),
        ("text_zh", pa.string()),
        ("text_en", pa.string()),
        ("symbol", pa.string()),
        ("status", pa.string()),
    ]
)
_NOTE_SCHEMA = pa.schema(
    [
        ("month_start_date", pa.date32()),
        ("table_name", pa.string()),
        ("note_number", pa.int32()),
        ("note_code", pa.string()),
        ("text_zh", pa.string()),
        ("text_en", pa.string()),
    ]
)
_RENAME_EXCHANGE = 2  # linux/fs.h
_AT_FDCWD = -100


class DraftUnavailable(LookupError):
    """There is no such draft to read, or not the one its manifest describes. `wording` says it to people."""

    def __init__(self, wording: Wording) -> None:
        super().__init__(wording.en)
        self.wording = wording


@dataclass(frozen=True, slots=True)
class Manifest:
    """What manifest.json says of a month's draft."""

    month: Month
    snapshot_id: str
    is_preliminary: bool
    files: Mapping[str, str]  # SHA-256 by file name
    content: Mapping[str, Any]  # the whole object as written
    folder: Path


def workbook_name(month: Month) -> str:
    """Name of the month's workbook."""
    return f"服务贸易统计表_{month}.xlsx"


def write_month(
    settings: Settings,
    con: duckdb.DuckDBPyConnection,
    month: Month,
    inputs: Sequence[Mapping[str, str]] | None = None,
) -> Manifest:
    """Write drafts/<month>/ from the publication tables of an open warehouse.

    The folder holds the workbook, every publication table as Parquet and CSV (one record a printed cell), and
    manifest.json with the SHA-256 of each of them, of every input, reference table, rule and query. The same
    inputs give the same bytes. `inputs` names what went in; None takes the accepted files that raw.submission
    counts for this month, the months before it in the year, and the year before. A write that is killed leaves
    the folder as it was. Raises PublicationRowError when the rows do not make the tables.
    """
    rows = {spec.name: publication_rows(con, spec.name, month) for spec in publication_model().tables}
    notes = note_rows(con, month)
    given = _submissions(con, month) if inputs is None else [dict(item) for item in inputs]
    return write_tables(settings, month, rows, notes, given)


def write_tables(
    settings: Settings,
    month: Month,
    rows: Mapping[str, Sequence[PublicationRow]],
    notes: Sequence[NoteRow],
    inputs: Sequence[Mapping[str, str]],
) -> Manifest:
    """The same from rows already at hand; see `write_month`."""
    tables = [printed_table(spec.name, month, rows[spec.name], notes) for spec in publication_model().tables]
    data = {
        **{name: _arrow(rows[name], _ROW_SCHEMA) for name in rows},
        NOTE_TABLE: _arrow(notes, _NOTE_SCHEMA),
    }
    origin: dict[str, Any] = {
        "month": str(month),
        "program_version": _program_version(),
        "settings": {"mode_profile": settings.mode_profile, "services_source": settings.services_source},
        "inputs": sorted((dict(item) for item in inputs), key=lambda item: sorted(item.items())),
        "reference": _hashes(REFERENCE_DIR, ("*.csv",)),
        "rules": _hashes(EXPECTATIONS_DIR, ("**/*.yaml",)),
        "queries": _hashes(SQL_DIR, ("*/*.sql",)),
        "table_model": _sha256(model_path().read_bytes()),
    }
    texts = {name: _long_csv(table) for name, table in data.items()}
    snapshot_id = _snapshot_id(origin, texts)
    drafts = settings.drafts_dir
    drafts.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(drafts, month)
    building = drafts / f".{month}.new-{os.getpid()}"
    building.mkdir()
    try:
        write_workbook(building / workbook_name(month), month, tables, Imprint(snapshot_id))
        for name, table in data.items():
            pq.write_table(table, building / f"{name}.parquet", compression="zstd")
            (building / f"{name}.csv").write_text(texts[name], encoding="utf-8-sig", newline="")
        files = {path.name: _sha256(path.read_bytes()) for path in sorted(building.iterdir())}
        content = {
            "schema_version": 1,
            "snapshot_id": snapshot_id,
            "state": "draft",
            "is_preliminary": any(table.is_preliminary for table in tables),
            **origin,
            "row_counts": {name: table.num_rows for name, table in data.items()},
            "files": files,
        }
        text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        (building / MANIFEST).write_text(text, encoding="utf-8")
        for path in building.iterdir():
            _flush(path)
        _flush(building)
        _replace_folder(building, drafts / str(month))
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return _manifest(drafts / str(month), month, content)


def publication_rows(con: duckdb.DuckDBPyConnection, name: str, month: Month) -> list[PublicationRow]:
    """The rows of one publication table for one month, in printed order."""
    publication_model().table(name)  # only a name of the model goes into the query
    columns = ", ".join(PublicationRow._fields)
    found = con.execute(
        f"select {columns} from publication.{name} where month_start_date = $1 order by row_number, column_code",  # noqa: S608
        [month.start_date],
    ).fetchall()
    return [PublicationRow(*row) for row in found]


def note_rows(con: duckdb.DuckDBPyConnection, month: Month) -> list[NoteRow]:
    """The notes of one month."""
    columns = ", ".join(NoteRow._fields)
    found = con.execute(
        f"select {columns} from publication.{NOTE_TABLE} where month_start_date = $1 order by table_name, note_number",  # noqa: S608
        [month.start_date],
    ).fetchall()
    return [NoteRow(*row) for row in found]


# --- reading --------------------------------------------------------------------------------------------------------


def draft_months(settings: Settings) -> list[Month]:
    """Months that have a draft, in order."""
    if not settings.drafts_dir.is_dir():
        return []
    names = [path.name for path in settings.drafts_dir.iterdir() if (path / MANIFEST).is_file()]
    return sorted(Month.parse(name) for name in names if not name.startswith("."))


def read_manifest(settings: Settings, month: Month) -> Manifest:
    """What the draft of a month says of itself. Raises DraftUnavailable where there is none."""
    folder = _folder(settings, month)
    content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return _manifest(folder, month, content)


def read_table(settings: Settings, name: str, month: Month) -> PrintedTable:
    """One table as last drafted, read from the draft's Parquet and never from the warehouse.

    Raises DraftUnavailable when the month has no draft, or a file is not the one in the manifest;
    PublicationModelError when no table has that name.
    """
    publication_model().table(name)
    manifest = read_manifest(settings, month)
    rows = [PublicationRow(*row.values()) for row in _read(manifest, name, _ROW_SCHEMA)]
    notes = [NoteRow(*row.values()) for row in _read(manifest, NOTE_TABLE, _NOTE_SCHEMA)]
    return printed_table(name, month, rows, notes)


def _read(manifest: Manifest, name: str, schema: pa.Schema) -> list[dict[str, Any]]:
    file_name = f"{name}.parquet"
    content = (manifest.folder / file_name).read_bytes() if (manifest.folder / file_name).is_file() else b""
    if _sha256(content) != manifest.files.get(file_name):
        raise DraftUnavailable(
            Wording(
                f"{manifest.month} 草稿中的 {file_name} 与清单（manifest.json）记载的不一致，可能被改动或损坏。"
                f"请重新运行：servtrade run --month {manifest.month}",
                f"{file_name} in the draft of {manifest.month} is not the file that its manifest.json describes; it may "
                f"have been changed or damaged. Run again: servtrade run --month {manifest.month}",
            )
        )
    # In this thread and from memory: a reading thread of Arrow's that still lets go of a Python object while the
    # interpreter ends takes the process down with it.
    with pq.ParquetFile(pa.BufferReader(content), pre_buffer=False) as file:
        found: list[dict[str, Any]] = file.read(use_threads=False).cast(schema).to_pylist()
    return found


def _folder(settings: Settings, month: Month) -> Path:
    folder = settings.drafts_dir / str(month)
    set_aside = _set_aside(settings.drafts_dir, month)
    for candidate in (folder, set_aside):
        if (candidate / MANIFEST).is_file():
            return candidate
    raise DraftUnavailable(
        Wording(
            f"{month} 还没有统计表草稿。请先运行：servtrade run --month {month}",
            f"There are no tables for {month} yet. Run: servtrade run --month {month}",
        )
    )


def _manifest(folder: Path, month: Month, content: Mapping[str, Any]) -> Manifest:
    return Manifest(
        month=month,
        snapshot_id=content["snapshot_id"],
        is_preliminary=content["is_preliminary"],
        files=content["files"],
        content=content,
        folder=folder,
    )


# --- what went in ---------------------------------------------------------------------------------------------------


def _submissions(con: duckdb.DuckDBPyConnection, month: Month) -> list[dict[str, str]]:
    """Accepted files that the month's figures, cumulative figures and growth can rest on.

    Of a closed month the departmental tables are those that were in force when it, or a month before it, was closed,
    whatever replaced them since; what came after its closing is none of its inputs.
    """
    first = Month(month.year - 1, 1).start_date
    found = con.execute(
        "select distinct submission_id, kind, sha256 from raw.submission where month_start_date <= $1 and case "
        "when kind <> 'department' then is_current_accepted and month_start_date >= $2 "
        "when submission_id in (select submission_id from raw.department_at_closing where month_start_date <= $1) "
        "then true "
        "else is_current_accepted and not exists (from raw.month_closing where month_start_date = $1 "
        "and closed_sequence is not null) end",
        [month.start_date, first],
    ).fetchall()
    return [{"submission_id": row[0], "kind": row[1], "sha256": row[2]} for row in found]


def _hashes(folder: Path, patterns: Iterable[str]) -> dict[str, str]:
    paths = sorted({path for pattern in patterns for path in folder.glob(pattern)})
    return {path.relative_to(folder).as_posix(): _sha256(path.read_bytes()) for path in paths}


def _snapshot_id(origin: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """Twelve hexadecimal digits over everything that went in and every figure and word that came out."""
    digest = hashlib.sha256(json.dumps(origin, ensure_ascii=False, sort_keys=True).encode())
    for name in sorted(texts):
        digest.update(name.encode())
        digest.update(texts[name].encode())
    return digest.hexdigest()[:12]


def _program_version() -> str:
    try:
        return version("service-trade-monitor")
    except PackageNotFoundError:  # a bare checkout that nobody installed
        return "checkout"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- files ----------------------------------------------------------------------------------------------------------


def _arrow(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema
    )


def _long_csv(table: pa.Table) -> str:
    """One line a record; figures without the zeros that fill up six decimals, text that no sheet takes for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(table.column_names)
    for row in table.to_pylist():
        writer.writerow([csv_field(value) for value in row.values()])
    return out.getvalue()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _set_aside(drafts: Path, month: Month) -> Path:
    return drafts / f".{month}.old"


def _clear_leftovers(drafts: Path, month: Month) -> None:
    """Finish or undo what a killed write left: nothing of it is needed, but the month's folder must be there."""
    folder, old = drafts / str(month), _set_aside(drafts, month)
    if old.is_dir() and not folder.exists():
        old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    for path in drafts.glob(f".{month}.new-*"):
        shutil.rmtree(path, ignore_errors=True)


def _replace_folder(building: Path, folder: Path) -> None:
    """Put a finished folder in the place of another.

    In one step where the system can exchange two names (Linux). Elsewhere in two, between which a reader
    finds the old one set aside, and the next write puts it back if nobody came to the second step.
    """
    if not folder.exists():
        building.rename(folder)
    elif not _exchange(building, folder):
        old = folder.with_name(f".{folder.name}.old")
        folder.rename(old)
        building.rename(folder)
        shutil.rmtree(old)
    _flush(folder.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where the system or the file system cannot. Raises OSError otherwise."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(one), None, str(other))
