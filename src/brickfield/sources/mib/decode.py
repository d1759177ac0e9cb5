"""Raw frames of Medipix chips to pictures.

A chip sends words of 64 bits, and each word's pixels in reverse. So, along a row,

- 1 bit: the eight bytes of a word are reversed, pixels are bits from the lowest up;
- 6 bit: one byte per pixel, reversed in groups of eight;
- 12 bit: a big-endian word of 16 bit per pixel, reversed in groups of four.

Four chips come side by side as 4, 3, 2, 1. Chips 1 and 2 are the upper half of the
picture, 3 and 4 the lower one, each of these turned by 180 degrees.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.sources.mib.header import MIBHeader


def decode_raw(stored: NDArray[np.uint8], header: MIBHeader) -> NDArray[Any]:
    """Decode raw frames.

    Parameters
    ----------
    stored : ndarray, shape (n, bytes of a frame), uint8
        Without headers.
    header : MIBHeader
        Of any of the frames.

    Returns
    -------
    ndarray, shape (n, rows, columns), uint8 or uint16
        Display order, the first row on top.
    """
    n = len(stored)
    words = np.ascontiguousarray(stored).reshape(n, -1, 8)
    if header.depth == 1:
        pixels = np.unpackbits(words[..., ::-1], axis=-1, bitorder="little")
    elif header.depth == 6:
        pixels = words[..., ::-1]
    else:
        pixels = words.view(">u2")[..., ::-1].astype(np.uint16)
    rows = pixels.reshape(n, header.height, header.width)
    return _square(rows) if header.is_quad else np.ascontiguousarray(rows)


def _square(rows: NDArray[Any]) -> NDArray[Any]:
    n, height, width = rows.shape
    fourth, third, second, first = np.split(rows, 4, axis=-1)
    side = width // 4
    whole = np.empty((n, 2 * height, 2 * side), rows.dtype)
    whole[:, :height, :side], whole[:, :height, side:] = first, second
    whole[:, height:, :side] = third[:, ::-1, ::-1]
    whole[:, height:, side:] = fourth[:, ::-1, ::-1]
    return whole
