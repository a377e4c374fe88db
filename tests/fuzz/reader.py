"""Fuzz the reader: `python -m tests.fuzz.reader --seconds 60`.

Coverage-guided (atheris) and aware of what a workbook is: an input that is a ZIP has one of its parts changed and
is packed anew, with sizes and check sums that are right, so that what lies behind the gate is reached too. Inputs
that broke a promise are written to tests/fuzz/corpus, where a test replays them for good; so are inputs that reached
new code, when asked to keep them (`--keep`).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import random
import sys
import tempfile
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["pipelines.intake", "pipelines.codes", "pipelines.periods", "pipelines.money"]
):
    from tests.fuzz.promises import answer_to, keep_promises

from tests.fuzz.seeds import seeds

CORPUS = Path(__file__).parent / "corpus"
LARGEST = 200_000
# What clerks, WPS and attackers put where it does not belong; spliced in whole, since a mutator rarely spells them.
WORDS = [
    word.encode()
    for word in (
        "服务进出口", "FM-2", "FM-4", "DM-1", "合计", "报告期", "2020年1-2月", "2025年上半年", "万元", "亿美元", "..", "—",
        "１，２３４.５", "1e308", "-0", "NaN", "=1+1", "#REF!", "☑", "零报", "更正", "审核意见", "\u202e", "&#0;", "&#x1F;", "]]>",
        't="inlineStr"', 't="e"', 't="b"', 't="d"', 't="str"', "<f>SUM(A1:A9)</f>", "<is><t>x</t></is>", "<v></v>",
        'r="A0"', 'r="a1"', 'r="ZZ9"', 'r="-1"', 's="9999"', "<row/>", '<mergeCell ref="A1:B2"/>', 'date1904="1"',
        'hidden="1"', 'state="veryHidden"', "<!--", "<![CDATA[", "<x:", 'xml:space="preserve"', "_x000D_", "\ufeff", "\u3000",
    )
]  # fmt: skip


def mutated(data: bytes, max_size: int, seed: int) -> bytes:
    """An input near this one: within a part of the package if it is one, else anywhere."""
    dice = random.Random(seed)
    parts = _parts(data)
    if not parts or dice.random() < 0.1:
        return bytes(atheris.Mutate(data, max_size))
    name = dice.choice(sorted(parts))
    part = parts[name]
    if dice.random() < 0.5:
        part = bytes(atheris.Mutate(part, min(len(part) + 4096, max_size)))
    else:
        at = dice.randrange(len(part) + 1)
        cut = dice.choice((0, 0, 1, 8, 64))
        part = part[:at] + dice.choice(WORDS) + part[at + cut :]
    if dice.random() < 0.03:
        del parts[name]
    elif dice.random() < 0.03:
        parts[dice.choice(sorted(parts))] = part  # one part in the place of another
    else:
        parts[name] = part
    return _packed(parts)[:max_size]


def _parts(data: bytes) -> dict[str, bytes]:
    if not data.startswith(b"PK\x03\x04"):
        return {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return {
                entry.filename: package.read(entry)
                for entry in package.infolist()
                if entry.file_size < LARGEST and not entry.flag_bits & 1
            }
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError, zipfile.zlib.error):  # type: ignore[attr-defined]
        return {}


def _packed(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, part in parts.items():
            package.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), part)
    return buffer.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="add inputs that reached new code to the corpus")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as working:
        found = Path(working, "found")
        found.mkdir()
        for number, seed in enumerate(seeds()):
            Path(working, f"seed-{number:03d}").write_bytes(seed)
        arguments = [
            sys.argv[0],
            f"-max_total_time={options.seconds}",
            f"-max_len={LARGEST}",
            f"-seed={options.seed}",
            "-rss_limit_mb=2048",
            "-timeout=20",
            "-print_final_stats=1",
            f"-artifact_prefix={CORPUS}/broken-",
            *([str(found)] if options.keep else []),
            working,
            str(CORPUS),
        ]
        child = os.fork()  # libFuzzer ends its process itself; what it found is taken up here
        if child == 0:
            # Set up here and not before the fork: a process that has set libFuzzer up waits for it for ever when it ends.
            atheris.Setup(arguments, keep_promises, custom_mutator=mutated)
            atheris.Fuzz()
        _, status = os.waitpid(child, 0)
        _keep(found)
    sys.exit(os.waitstatus_to_exitcode(status))


def _keep(found: Path) -> None:
    """Of what reached new code, one input for each set of findings and forms that the corpus does not have yet."""
    known = {answer_to(path.read_bytes()) for path in CORPUS.glob("*.bin")}
    known |= {answer_to(seed) for seed in seeds()}
    for path in sorted(found.iterdir(), key=lambda path: path.stat().st_size):
        content = path.read_bytes()
        answer = answer_to(content)
        if answer not in known and len(content) < 12_000:
            known.add(answer)
            (CORPUS / f"{hashlib.sha256(content).hexdigest()[:16]}.bin").write_bytes(content)


if __name__ == "__main__":
    main()
