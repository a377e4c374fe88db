"""Reading many files in killable children, in order, with bounded memory.

A child is a fresh interpreter (never a fork: whatever the parent has loaded stays out of it), fed over a socket.
It reads file after file; a file that aborts it, exhausts it or hangs it costs that file only (finding G07). The
pool knows nothing of workbooks.
"""

from __future__ import annotations

import hashlib
import json
import logging
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO

from pipelines.intake import transport
from pipelines.intake.limits import DEFAULT_LIMITS, Limits
from pipelines.intake.reader import parsed_file, refusal
from pipelines.paths import HOUSE_DIR
from pipelines.records import ParsedFile

_LOG = logging.getLogger(__name__)

_START_SECONDS = 60.0
_SOCKET_BYTES = 1024 * 1024
_CHUNK_BYTES = 256 * 1024
_AHEAD = 2  # files a child holds: one it reads, one that waits in its socket so that it never idles
_LARGEST_IDLE_BYTES = 192 * 1024 * 1024  # resident size above which a child is replaced before the next files
_RESULTS_AHEAD = 64  # results kept for their turn while an earlier file is slow
_BOOTSTRAP = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from pipelines.intake.child import main; main()"
)


class ReaderCannotStart(RuntimeError):
    """The reading process does not come up; the operator must mend the installation. The message has its stderr."""


@dataclass(slots=True)
class _Job:
    number: int
    name: str
    content: bytes


@dataclass(slots=True)
class _Child:
    """One reading process and what is in flight to it; the first job is the one it is reading."""

    process: subprocess.Popen[bytes]
    connection: socket.socket
    errors: IO[bytes]
    jobs: deque[_Job] = field(default_factory=deque)
    outgoing: deque[memoryview] = field(default_factory=deque)
    incoming: bytearray = field(default_factory=bytearray)
    is_ready: bool = False
    is_spent: bool = (
        False  # it has reported a fault of its own and ends itself: nothing more is its files' doing
    )
    deadline: float = 0.0

    def wants_to_write(self) -> bool:
        return bool(self.outgoing) and self.is_ready


class ReaderPool:
    """Children that read files. Use as a context manager; leaving it ends every child, whatever happened.

    Not for use from several threads. One `read_many` at a time; abandoning its iterator half-way is fine.
    """

    def __init__(self, count: int, limits: Limits = DEFAULT_LIMITS) -> None:
        if count < 1:
            raise ValueError(f"a pool of {count} readers reads nothing; expected at least 1")
        self._count = count
        self._limits = limits
        self._children: list[_Child] = []
        self._selector = selectors.DefaultSelector()
        self._buffer = bytearray(_CHUNK_BYTES)  # a fresh one for each answer would cost more than the answer
        self._is_open = False

    def __enter__(self) -> ReaderPool:
        self._is_open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every child at once. Files in flight are lost; nothing has been stored of them."""
        self._is_open = False
        while self._children:
            self._end(self._children[0])
        self._selector.close()

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Process ids of the children that live now."""
        return tuple(child.process.pid for child in self._children)

    def start(self) -> None:
        """Start all children now, so that the first files need not wait for them."""
        while len(self._children) < self._count:
            self._start()

    def read_many(self, files: Iterable[tuple[str, bytes]]) -> Iterator[ParsedFile]:
        """Read files (name and content); results come in the order of the input.

        Takes from `files` only as fast as results are taken from here: at most a few files a child and 64
        results are held at any time. Every file gives exactly one result, a dead reader included.
        """
        if not self._is_open:
            raise RuntimeError("the pool is closed; use it inside its with block")
        for child in list(self._children):
            # Left over from an iterator that was abandoned half-way, ended by somebody while it was idle (that
            # is no file's doing), or grown large by what it has read.
            if child.jobs or child.process.poll() is not None or _resident_bytes(child) > _LARGEST_IDLE_BYTES:
                self._end(child)
        waiting: deque[_Job] = deque()  # given back by children that died before they came to them
        done: dict[int, ParsedFile] = {}
        source = iter(files)
        is_exhausted = False
        taken = given = 0
        while True:
            while (
                not is_exhausted and not waiting and self._has_room() and taken - given < self._most_ahead()
            ):
                try:
                    name, content = next(source)
                except StopIteration:
                    is_exhausted = True
                    break
                self._assign(_Job(taken, name, content))
                taken += 1
            while waiting and self._has_room():
                self._assign(waiting.popleft())
            if given in done:
                result = done.pop(given)
                given += 1
                before = time.monotonic()
                yield result
                self._postpone(time.monotonic() - before)
                # children may have gone on meanwhile: serve them before asking for more results
                self._serve(0.0, done, waiting)
                continue
            if is_exhausted and given == taken:
                return
            self._serve(None, done, waiting)

    # Feeding --------------------------------------------------------------------------------------------------

    def _most_ahead(self) -> int:
        return self._count * _AHEAD + _RESULTS_AHEAD

    def _has_room(self) -> bool:
        return len(self._children) < self._count or any(len(child.jobs) < _AHEAD for child in self._children)

    def _assign(self, job: _Job) -> None:
        """Give a job to the child with the least to do; start one while there are fewer than asked for."""
        idle = min(self._children, key=lambda child: len(child.jobs), default=None)
        if idle is None or (idle.jobs and len(self._children) < self._count):
            idle = self._start()
        idle.jobs.append(job)
        idle.outgoing.append(memoryview(transport.pack_file(job.name, job.content)))
        if len(idle.jobs) == 1 and idle.is_ready:
            idle.deadline = time.monotonic() + self._limits.wall_seconds
        self._write(idle)

    def _postpone(self, seconds: float) -> None:
        """The time that the consumer took is nobody's reading time."""
        for child in self._children:
            child.deadline += seconds

    # Serving --------------------------------------------------------------------------------------------------

    def _serve(self, wait: float | None, done: dict[int, ParsedFile], waiting: deque[_Job]) -> None:
        """Move bytes to and from the children once, then end those whose time is up."""
        if wait is None:
            deadlines = [child.deadline for child in self._children if child.jobs]
            wait = max(0.0, min(deadlines) - time.monotonic()) if deadlines else 0.0
        for key, events in self._selector.select(wait):
            child: _Child = key.data
            if events & selectors.EVENT_READ and not self._read(child, done):
                self._bury(child, "died", done, waiting)
                continue
            if events & selectors.EVENT_WRITE:
                self._write(child)
        now = time.monotonic()
        for child in list(self._children):
            if child.jobs and now > child.deadline:
                if not child.is_ready:
                    raise ReaderCannotStart(
                        f"no reader came up within {_START_SECONDS:.0f} s: {self._errors(child)}"
                    )
                self._bury(child, "time", done, waiting)

    def _write(self, child: _Child) -> None:
        while child.outgoing and child.is_ready:
            try:
                sent = child.connection.send(child.outgoing[0])
            except BlockingIOError:
                break
            except OSError:
                child.outgoing.clear()  # the child is dead or dying: reading from it will tell
                break
            if sent == len(child.outgoing[0]):
                child.outgoing.popleft()
            else:
                child.outgoing[0] = child.outgoing[0][sent:]
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if child.wants_to_write() else 0)
        if self._selector.get_key(child.connection).events != events:
            self._selector.modify(child.connection, events, child)

    def _read(self, child: _Child, done: dict[int, ParsedFile]) -> bool:
        """Take what has arrived. False if the child is gone or sends what cannot be understood."""
        while True:
            try:
                count = child.connection.recv_into(self._buffer)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not count:
                return False
            child.incoming += memoryview(self._buffer)[:count]
            try:
                self._take_frames(child, done)
            except transport.BrokenFrame:
                _LOG.exception("reader %s sent what is no reading", child.process.pid)
                return False
            if count < _CHUNK_BYTES:
                return True

    def _take_frames(self, child: _Child, done: dict[int, ParsedFile]) -> None:
        header = transport.FRAME_HEADER_BYTES
        while len(child.incoming) >= header:
            end = header + transport.frame_length(bytes(child.incoming[:header]))
            if len(child.incoming) < end:
                return
            payload = bytes(child.incoming[header:end])
            del child.incoming[:end]
            if not child.is_ready:
                child.is_ready = True
                self._write(child)
            elif child.jobs:
                answer = transport.decode(payload)
                job = child.jobs.popleft()
                if isinstance(answer, str):
                    child.is_spent = True
                    done[job.number] = self._failed(job, answer)
                else:
                    done[job.number] = answer
            else:
                raise transport.BrokenFrame("an answer to no file")
            child.deadline = time.monotonic() + self._limits.wall_seconds

    def _failed(self, job: _Job, fault: str) -> ParsedFile:
        """The result for a file on which the child reports a fault of its own; it ends itself after that."""
        if fault == "memory":
            _LOG.warning("reading %r needed more memory than allowed", job.name)
            return _lost(job, "memory")
        _LOG.error("reading %r failed; please report this:\n%s", job.name, fault)
        return _lost(job, "fault")

    # Children -------------------------------------------------------------------------------------------------

    def _start(self) -> _Child:
        ours, theirs = socket.socketpair()
        errors = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the child
        for one in (ours, theirs):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)
        ours.setblocking(False)
        with theirs:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-c",
                    _BOOTSTRAP,
                    str(HOUSE_DIR),
                    str(theirs.fileno()),
                    json.dumps(self._limits.as_json()),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        child = _Child(process, ours, errors, deadline=time.monotonic() + _START_SECONDS)
        self._children.append(child)
        self._selector.register(ours, selectors.EVENT_READ, child)
        return child

    def _bury(self, child: _Child, why: str, done: dict[int, ParsedFile], waiting: deque[_Job]) -> None:
        """A child is gone or must go: its file is lost, the files behind that one are given back."""
        if not child.is_ready:
            errors = self._errors(child)
            self._end(child)
            raise ReaderCannotStart(f"the reading process ended before it was ready: {errors}")
        if child.jobs and not child.is_spent:
            lost = child.jobs.popleft()
            why = _reason(child.process, why)
            _LOG.warning(
                "reader %s ended (%s) while reading %r: %s",
                child.process.pid,
                why,
                lost.name,
                self._errors(child) or "no message",
            )
            done[lost.number] = _lost(lost, why)
        waiting.extend(child.jobs)
        self._end(child)

    def _errors(self, child: _Child) -> str:
        """The end of what a child has written to its stderr."""
        child.errors.seek(0, 2)
        child.errors.seek(max(0, child.errors.tell() - 2000))
        return child.errors.read().decode("utf-8", errors="replace").strip()

    def _end(self, child: _Child) -> None:
        self._children.remove(child)
        self._selector.unregister(child.connection)
        child.connection.close()
        child.process.kill()
        child.process.wait()
        child.errors.close()


def _resident_bytes(child: _Child) -> int:
    """Memory that a child holds now; 0 where it is gone."""
    try:
        statm = Path(f"/proc/{child.process.pid}/statm").read_text(encoding="ascii")
    except OSError:
        return 0
    return int(statm.split()[1]) * resource.getpagesize()


def _reason(process: subprocess.Popen[bytes], why: str) -> str:
    """Why a process ended: out of its processor time looks like any other death from here."""
    try:
        code = process.wait(timeout=1.0) if why == "died" else 0
    except subprocess.TimeoutExpired:  # it has closed its socket and lives on: it will be killed
        return why
    return "time" if code in (-signal.SIGXCPU, -signal.SIGALRM) else why


def _lost(job: _Job, why: str) -> ParsedFile:
    return parsed_file(hashlib.sha256(job.content).hexdigest(), refusal("G07", what=why, given=""))
