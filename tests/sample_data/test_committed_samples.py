"""The committed samples are what the generator makes, and small."""

from __future__ import annotations

import io
import zipfile

from sample_data.committed import SAMPLES_DIR, committed_samples


def parts(content: bytes) -> dict[str, bytes]:
    """Parts of a workbook in their order: what is compared, because zlib's bytes may differ between machines."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert all(part.date_time == (1980, 1, 1, 0, 0, 0) for part in archive.infolist())
        return {part.filename: archive.read(part) for part in archive.infolist()}


def test_the_generator_makes_the_committed_samples_again_byte_for_byte() -> None:
    made = committed_samples()
    assert set(made) == {path.name for path in SAMPLES_DIR.iterdir()}
    for name, content in made.items():
        committed = (SAMPLES_DIR / name).read_bytes()
        if name.endswith(".xlsx"):
            assert list(parts(content).items()) == list(parts(committed).items()), name
        else:
            assert content == committed, name


def test_the_committed_samples_stay_below_200_kilobytes() -> None:
    assert sum(path.stat().st_size for path in SAMPLES_DIR.iterdir()) < 200_000
