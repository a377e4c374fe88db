"""Style, script and pictures of the portal, by name and digest: a changed file has a changed address.

Only files that stand in the folder when the portal starts are given out; no path from outside reaches the disk.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

STATIC_DIR = Path(__file__).parent / "static"
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/vnd.microsoft.icon",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, ready to be sent."""

    content: bytes
    media_type: str
    digest: str


class StaticFiles:
    """The portal's own files, read once."""

    def __init__(self, folder: Path = STATIC_DIR) -> None:
        self._files: dict[str, StaticFile] = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix in _MEDIA_TYPES:
                content = path.read_bytes()
                self._files[path.relative_to(folder).as_posix()] = StaticFile(
                    content, _MEDIA_TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:16]
                )

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def address(self, name: str) -> str:
        """Where browsers get it. Raises KeyError for a file that is not there."""
        return f"/static/{self._files[name].digest}/{name}"

    def find(self, digest: str, name: str) -> StaticFile | None:
        """The file under this address; None also where it has changed since."""
        found = self._files.get(name)
        return found if found is not None and found.digest == digest else None
