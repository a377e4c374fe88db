"""Screenshots as small PNG files: a palette in place of full colour, which is enough for pages."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np

_COLOURS = 240
_PIXELS = """async (address) => {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const bytes = context.getImageData(0, 0, canvas.width, canvas.height).data;
    let text = "";
    for (let at = 0; at < bytes.length; at += 32768) {
        text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    }
    return [canvas.width, canvas.height, btoa(text)];
}"""


def with_palette(screenshot: bytes, blank_page: Any) -> bytes:
    """The screenshot with its most frequent colours; every other pixel has the nearest of them. `blank_page`: a page
    of no policy, in which the browser takes the picture apart."""
    address = "data:image/png;base64," + base64.b64encode(screenshot).decode()
    width, height, text = blank_page.evaluate(_PIXELS, address)
    pixels = np.frombuffer(base64.b64decode(text), dtype=np.uint8).reshape(height * width, 4)[:, :3]
    bins = (pixels.astype(np.uint32) >> 3) @ np.array([1024, 32, 1], dtype=np.uint32)
    counts = np.bincount(bins, minlength=32_768)
    used = np.flatnonzero(counts)
    frequent = used[np.argsort(counts[used])[::-1][:_COLOURS]]
    sums = np.stack([np.bincount(bins, weights=pixels[:, one], minlength=32_768) for one in range(3)], axis=1)
    means = sums[used] / counts[used, None]
    palette = np.rint(sums[frequent] / counts[frequent, None])
    nearest = np.zeros(32_768, dtype=np.uint8)
    nearest[used] = np.argmin(((means[:, None, :] - palette[None, :, :]) ** 2).sum(axis=2), axis=1)
    rows = nearest[bins].reshape(height, width)
    raw = b"".join(b"\x00" + row.tobytes() for row in rows)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + _chunk(b"PLTE", palette.astype(np.uint8).tobytes())
        + _chunk(b"IDAT", zlib.compress(raw, 9))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
