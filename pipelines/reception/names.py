"""Names of files as people see them. The name that the sender gave is kept elsewhere, as it is."""

from __future__ import annotations

import re
import unicodedata

MAX_SHOWN_LENGTH = 120
_RESERVED = re.compile(r'[<>:"/\\|?*]')
_WITHOUT_NAME = "未命名"


def shown_name(name: str) -> str:
    """A name fit to be shown and to be offered for download: at most 120 characters, its ending kept.

    Characters that are not seen, turn the direction of writing (which makes fdp.xlsx of xslx.pdf) or mean
    something to a file system are taken out; the same letters are the same characters (NFC).
    """
    composed = unicodedata.normalize("NFC", name)
    visible = "".join(
        " " if unicodedata.category(char) in ("Zs", "Zl", "Zp") else char
        for char in composed
        if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    clean = " ".join(_RESERVED.sub("_", visible).split()).strip(". ") or _WITHOUT_NAME
    if len(clean) <= MAX_SHOWN_LENGTH:
        return clean
    stem, dot, ending = clean.rpartition(".")
    if not dot or len(ending) > 8:
        return clean[: MAX_SHOWN_LENGTH - 1] + "…"
    return f"{stem[: MAX_SHOWN_LENGTH - len(ending) - 2]}….{ending}"
