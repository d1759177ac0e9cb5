"""Pages of one level: what is not stored, and reading in threads."""

from __future__ import annotations

import struct
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile

from brickfield.errors import StoreFormatError
from brickfield.sources.tiff.pages import TiffPages


def test_tiles_without_bytes_are_missing(tmp_path):
    path = tmp_path / "a.tif"
    data = np.ones((64, 64), "u1")
    tifffile.imwrite(path, data, tile=(32, 32), compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        tag = tiff.pages[0].tags["TileByteCounts"]
        size = {3: "H", 4: "I"}[int(tag.dtype)]
        place = tag.valueoffset + struct.calcsize(size)
    with path.open("r+b") as file:
        file.seek(place)
        file.write(struct.pack(f"<{size}", 0))
    with tifffile.TiffFile(path) as tiff:
        array = TiffPages(tiff.series[0], "a", threading.RLock())
        assert array.read_chunk((0, 1)).data is None
        assert (array.read_chunk((1, 1)).data == 1).all()


def test_many_threads_read_the_same_pages(tmp_path):
    path = tmp_path / "a.tif"
    stack = np.random.default_rng(0).integers(0, 99, (30, 40, 50)).astype("u1")
    tifffile.imwrite(path, stack, compression="zlib", rowsperstrip=10)
    with tifffile.TiffFile(path) as tiff, ThreadPoolExecutor(8) as pool:
        array = TiffPages(tiff.series[0], "a", threading.RLock())
        wanted = list(range(30)) * 4
        found = pool.map(lambda z: array.read_chunk((z, 0, 0)).data[0], wanted)
        for z, data in zip(wanted, found, strict=True):
            assert np.array_equal(data, stack[z])


def test_pages_that_do_not_make_up_the_shape_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.ones((5, 8, 8), "u1"), compression="zlib")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:

        class Odd:
            keyframe, shape, dtype = tiff.series[0].keyframe, (2, 8, 8), np.dtype("u1")

            def __len__(self):
                return 5

        with pytest.raises(StoreFormatError, match="2 pages"):
            TiffPages(Odd(), "a", threading.RLock())
