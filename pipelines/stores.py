"""The two file stores below the ledger: originals (every byte received) and lines (cells as read).

Here is only how bytes reach the disk and come back whole. What a submission is and which one counts is the
ledger's business; what stands in a cell is the intake's.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import ROUND_HALF_EVEN, Context, Decimal
from importlib.abc import MetaPathFinder
from itertools import repeat
from pathlib import Path
from typing import Any, BinaryIO, overload

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.records import LINE_COLUMNS, CellRecord, ParsedFile, storable_text

# One tenth of a billionth of the declared unit: finer than any figure a clerk can mean, and the scale that
# the lines store keeps (a binary cell such as 0.30000000000000004 carries more digits than that).
_SMALLEST_STEP = Decimal(1).scaleb(-10)
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_ROWS_A_GROUP = 16_384
_COPIED_AT_ONCE = 1 << 20


class StoreDamaged(RuntimeError):
    """A stored file is missing or is not what its name promises; the operator restores it from a backup."""


class Originals:
    """Files as received, named by their SHA-256, in 256 folders, write-once and read-only.

    Writing goes to a temporary file that is then linked under its name, so a reader never meets half a file
    and two writers of the same bytes cannot hurt each other.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """Where the bytes with this SHA-256 stand, whether or not they are there yet."""
        return self.root / sha256[:2] / sha256

    def put(self, content: bytes, *, durable: bool = True) -> str:
        """Keep these bytes and return their SHA-256; keeping them twice is keeping them once.

        With `durable` they have reached the disk on return. A bulk writer passes False and calls
        `make_durable` once for all of them before the ledger says that they were received.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.path(sha256)
        if not _holds(path, sha256, len(content)):
            path.parent.mkdir(parents=True, exist_ok=True)
            _place(path, content)
        if durable:
            self.make_durable([sha256])
        return sha256

    def put_stream(self, stream: BinaryIO) -> tuple[str, int]:
        """Keep what a stream holds without holding it in memory; gives SHA-256 and size. Not yet durable."""
        self.root.mkdir(parents=True, exist_ok=True)
        handle, aside_name = tempfile.mkstemp(dir=self.root, prefix=".incoming-")
        aside = Path(aside_name)
        try:
            with os.fdopen(handle, "w+b") as file:
                shutil.copyfileobj(stream, file, _COPIED_AT_ONCE)
                size = file.tell()
                file.seek(0)
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                os.fchmod(file.fileno(), 0o444)
            path = self.path(sha256)
            if not _holds(path, sha256, size):
                path.parent.mkdir(parents=True, exist_ok=True)
                aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        return sha256, size

    def make_durable(self, sha256s: Iterable[str]) -> None:
        """Wait until these files and the folders that name them are on the disk."""
        paths = [self.path(sha256) for sha256 in sha256s]
        folders = {path.parent for path in paths} | ({self.root} if paths else set())
        if len(paths) < 8:
            for path in (*paths, *folders):
                _flush_to_disk(path)
            return
        with ThreadPoolExecutor(max_workers=8, thread_name_prefix="originals") as pool:
            list(pool.map(_flush_to_disk, [*paths, *folders]))

    def get(self, sha256: str) -> bytes:
        """The bytes, proven against their name. Raises StoreDamaged when missing or altered."""
        path = self.path(sha256)
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise StoreDamaged(f"{path}: the original is not there; restore it from a backup") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreDamaged(f"{path}: the bytes are no longer those received; restore it from a backup")
        return content

    def __contains__(self, sha256: str) -> bool:
        return self.path(sha256).is_file()


def _holds(path: Path, sha256: str, size: int) -> bool:
    """Whether the file is there and whole; a crash of the machine may have left a name without its bytes."""
    try:
        if path.stat().st_size != size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def _place(path: Path, content: bytes) -> None:
    """Write aside, then name it. A damaged file under the name is replaced, a whole one never."""
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o444)
        try:
            os.link(aside, path)
        except OSError:
            # Somebody else placed the same bytes first, a damaged file is in the way, or this file system
            # has no hard links. The name is the digest of the content, so replacing is safe in all three.
            Path(aside).replace(path)
    finally:
        Path(aside).unlink(missing_ok=True)


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Lines:
    """Cells as read, Parquet, one file a batch; columns are records.LINE_COLUMNS.

    The same cells give the same bytes. Rows of a submission lie together, in the order of the file, and
    submissions in the order of their ids, so that a reader who wants a few skips the rest.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, batch_name: str, table: pa.Table) -> str:
        """Write one batch, whole or not at all, on the disk on return. Gives the path below the root."""
        relative = f"{batch_name[:2]}/{batch_name}.parquet"
        path = self.root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside_name = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
        aside = Path(aside_name)
        try:
            with os.fdopen(handle, "wb") as file:
                pq.write_table(
                    table.cast(lines_schema()),
                    file,
                    compression="zstd",
                    row_group_size=_ROWS_A_GROUP,
                    store_schema=True,
                )
                file.flush()
                os.fsync(file.fileno())
            aside.chmod(0o444)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        _flush_to_disk(path.parent)
        return relative

    def read(self, file_of: Mapping[str, str]) -> pa.Table:
        """The cells of these submissions (submission_id -> path below the root), nothing else.

        Submissions with no cells simply have no rows. Raises StoreDamaged for a file that is not there.
        """
        wanted_in: dict[str, list[str]] = defaultdict(list)
        for submission_id, relative in file_of.items():
            if relative:
                wanted_in[relative].append(submission_id)
        parts = [self._read_one(relative, wanted) for relative, wanted in sorted(wanted_in.items())]
        return pa.concat_tables([lines_schema().empty_table(), *parts])

    def _read_one(self, relative: str, wanted: list[str]) -> pa.Table:
        path = self.root / relative
        try:
            file = pq.ParquetFile(path, pre_buffer=False)
        except FileNotFoundError as error:
            raise StoreDamaged(
                f"{path}: the lines file is not there; restore it, or read its originals again"
            ) from error
        with file:
            groups = _groups_with(file.metadata, wanted)
            # In this thread: one of Arrow's that is still at work when the interpreter ends takes it down.
            table = file.read_row_groups(groups, use_threads=False)
        return table.filter(pc.is_in(table["submission_id"], value_set=pa.array(wanted, pa.string())))


def _groups_with(metadata: Any, wanted: list[str]) -> list[int]:
    """Row groups whose range of submission ids holds one of those wanted; column 0 is submission_id."""
    groups = []
    for index in range(metadata.num_row_groups):
        statistics = metadata.row_group(index).column(0).statistics
        low, high = (statistics.min, statistics.max) if statistics and statistics.has_min_max else ("", "~")
        if any(low <= submission_id <= high for submission_id in wanted):
            groups.append(index)
    return groups


_ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int32": pa.int32(),
    "decimal128(30, 10)": pa.decimal128(30, 10),
    "date32": pa.date32(),
}


def lines_schema() -> pa.Schema:
    """records.LINE_COLUMNS as Arrow types."""
    return pa.schema([(name, _ARROW_TYPES[type_name]) for name, type_name in LINE_COLUMNS])


def lines_table(parsed_files: Iterable[ParsedFile]) -> pa.Table:
    """The cells of parsed files as one table, submissions in the order of their ids.

    The same bytes given twice count once. A number with more than ten decimals (binary dust of a formula) is
    kept to ten; its text stays as it stood in the file.
    """
    by_id = {parsed.submission_id: parsed for parsed in parsed_files}
    parts = [lines_schema().empty_table()]
    columns: list[list[Any]] = [[] for _ in LINE_COLUMNS]

    def finish_part() -> None:
        if columns[0]:
            arrays = [_as_array(values, field) for values, field in zip(columns, lines_schema(), strict=True)]
            parts.append(pa.Table.from_arrays(arrays, schema=lines_schema()))
            for column in columns:
                column.clear()

    for submission_id in sorted(by_id):
        cells = by_id[submission_id].cells
        if isinstance(cells, PackedCells):
            finish_part()
            parts.append(cells.table())
        elif cells:
            columns[0].extend(repeat(submission_id, len(cells)))
            for column, values in zip(columns[1:], zip(*cells, strict=True), strict=True):
                column.extend(values)
    finish_part()
    # In one piece, as rows from one list would be: the same cells give the same bytes, packed or not.
    return pa.concat_tables(parts).combine_chunks()


class PackedCells(Sequence[CellRecord]):
    """The cells of one file, compressed in memory: a fiftieth of what the records take.

    A file of thousands of cells waits like this for its turn to be judged. Read one by one it gives the records as
    the lines store does; `table` is what judging and recording take.
    """

    def __init__(self, parsed: ParsedFile) -> None:
        table = lines_table([parsed])
        self._count = int(table.num_rows)
        self.line_count = len(
            {(cell.sheet, cell.row_number) for cell in parsed.cells if cell.section == "row"}
        )
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(
            sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")
        ) as writer:
            writer.write_table(table)
        self._packed = sink.getvalue()

    def table(self) -> pa.Table:
        """The cells as rows of the lines store."""
        with pa.ipc.open_stream(self._packed) as reader:
            return reader.read_all()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[CellRecord]:
        for row in self.table().drop_columns(["submission_id"]).to_pylist():
            yield CellRecord(**row)

    @overload
    def __getitem__(self, index: int) -> CellRecord: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[CellRecord]: ...

    def __getitem__(self, index: int | slice) -> CellRecord | Sequence[CellRecord]:
        return tuple(self)[index]


def _as_array(values: list[Any], field: pa.Field) -> pa.Array:
    try:
        return pa.array(values, field.type)
    except (pa.ArrowInvalid, UnicodeEncodeError):
        if pa.types.is_decimal(field.type):
            return pa.array([_to_ten_decimals(value) for value in values], field.type)
        if pa.types.is_string(field.type):  # half of a surrogate pair: a damaged text, no text at all
            return pa.array([None if value is None else storable_text(value) for value in values], field.type)
        raise


def _to_ten_decimals(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(_SMALLEST_STEP, context=_EXACT)


def leave_pandas_out() -> None:
    """Make pandas unavailable in this process, for good; does nothing where it is loaded already.

    Arrow and DuckDB import pandas, if there is one, to see whether a list is a Series or a date a Timestamp:
    0.4 s and 60 MB for nothing in a process that only judges files. Both do without it where it is missing.
    """
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _NoPandas())


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("left out of this process, which only judges files", name=fullname)
