"""PDFs by Typst: a template of ours and data as JSON. What is printed, and in which words, is the caller's.

Data never becomes part of a template's text: the template reads them as JSON from `sys.inputs`, so that nothing in a
name or a reason can be taken for Typst. The same template and data give the same bytes; nothing outside the
template's folder can be read, and no font but the two that are installed with the program is used, so that a machine
without Chinese fonts prints the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import pylopdf_fonts_zh_cn
import typst

SANS_FONT, SERIF_FONT = "Noto Sans SC", "Noto Serif SC"

_one_at_a_time = Lock()  # the compiler keeps its layout between calls; a page takes milliseconds


class TemplateBroken(RuntimeError):
    """A template of ours cannot be set; the maintainers must mend it."""


def typeset(template: Path, data: Mapping[str, Any]) -> bytes:
    """The PDF of a template and data, which must be what JSON holds exactly: texts, whole numbers, lists, maps.

    The template sees them as `json(bytes(sys.inputs.data))`. The PDF is tagged for screen readers; a template sets
    document title and language. It does not claim to be PDF/UA, which forbids a character that the fonts lack: a
    name with one is printed with an empty box in its place. Raises TemplateBroken with Typst's own words and the
    place.
    """
    payload = json.dumps(data, ensure_ascii=False, sort_keys=True, allow_nan=False)
    try:
        with _one_at_a_time:
            produced = _compiler(template).compile(format="pdf", sys_inputs={"data": payload}, timestamp=0)
    except typst.TypstError as error:
        raise TemplateBroken(
            f"{template}: {error.message} {' '.join(error.hints)}\n{error.diagnostic}"
        ) from error
    if not isinstance(produced, bytes):
        raise TemplateBroken(f"{template}: gave no single PDF")
    return produced


@cache
def _compiler(template: Path) -> typst.Compiler:
    return typst.Compiler(template, root=template.parent, font_paths=_fonts(), ignore_system_fonts=True)


@cache
def _fonts() -> typst.Fonts:
    """The fonts of the program. Raises TemplateBroken where the installation lacks them."""
    folders = sorted({str(path.parent) for path in _font_files()})
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
    missing = {SANS_FONT, SERIF_FONT} - set(fonts.families())
    if missing:
        raise TemplateBroken(
            f"fonts {', '.join(sorted(missing))} are not in {folders}; install the program again"
        )
    return fonts


def _font_files() -> tuple[Path, Path]:
    return Path(pylopdf_fonts_zh_cn.sans_path()), Path(pylopdf_fonts_zh_cn.serif_path())
