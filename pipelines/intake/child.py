"""The process that reads files for `ReaderPool`: one after the other, each within its own budget.

Started by the pool with two file descriptors' worth of plumbing and nothing else: it imports the readers and no
more, takes files on one socket and answers on it. What a file does to this process (abort, endless loop, memory)
ends this process only; the pool notices, blames the file and starts another.
"""

from __future__ import annotations

import gc
import hashlib
import json
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable

from pipelines.intake import messages, reader, transport
from pipelines.intake.limits import Limits
from pipelines.intake.reading import Reading

_GRACE_SECONDS = 5  # beyond the pool's own wall clock: the last resort when the pool itself is gone
_PAGE_BYTES = resource.getpagesize()


def main() -> None:
    """Serve until the pool closes its end."""
    descriptor, limits_json = int(sys.argv[1]), sys.argv[2]
    limits = Limits(**json.loads(limits_json))
    connection = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the pool, which ends its children
    reader.recogniser()
    messages.catalogue()
    _limit_process(limits)
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)  # a file's rows and cells are no rubbish until it is done
    connection.sendall(transport.frame(b"ready"))
    while True:
        header = _receive(connection, transport.FILE_HEADER_BYTES)
        if header is None:
            return
        name_length, content_length = transport.file_lengths(bytes(header))
        body = _receive(connection, name_length + content_length)
        if body is None:
            return
        _limit_file(limits)
        name = bytes(body[:name_length]).decode("utf-8")
        answer, is_sound = _answer(reader.read, name, bytes(body[name_length:]), limits)
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.sendall(transport.frame(answer))
        if not is_sound:
            return


def _answer(
    read: Callable[[str, bytes, Limits], Reading], name: str, content: bytes, limits: Limits
) -> tuple[bytes, bool]:
    """The answer to one file, and whether this process is still sound enough for the next."""
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        return transport.encode(sha256, read(name, content, limits)), True
    except MemoryError:
        return transport.encode_fault(sha256, "memory"), False
    except BaseException:  # noqa: BLE001  a fault of ours, or a library's panic: the pool logs the traceback as G07
        return transport.encode_fault(sha256, traceback.format_exc()), False


def _receive(connection: socket.socket, length: int) -> bytearray | None:
    """So many bytes, or None if the pool is gone."""
    received = bytearray(length)
    view = memoryview(received)
    position = 0
    while position < length:
        count = connection.recv_into(view[position:])
        if count == 0:
            return None
        position += count
    return received


def _limit_process(limits: Limits) -> None:
    """Limits for good: memory above what is in use now, no large files, few open ones, no core dumps."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  before anything is limited
        in_use = int(file.read().split()[0]) * _PAGE_BYTES
    _lower(resource.RLIMIT_AS, in_use + limits.memory_bytes)
    _lower(resource.RLIMIT_FSIZE, limits.written_bytes)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _limit_file(limits: Limits) -> None:
    """A fresh allowance of processor time, and an alarm that ends this process if the pool cannot."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    _lower(resource.RLIMIT_CPU, used + limits.cpu_seconds + 1)
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds + _GRACE_SECONDS)


if __name__ == "__main__":
    main()
