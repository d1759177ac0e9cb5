"""A file that does not hold what was written is not kept."""

import numpy as np
import pytest
import zarr

import brickfield as bf
from brickfield.errors import StoreWriteError
from brickfield.imaris.output.file import ImarisFile


def test_a_file_that_was_damaged_on_its_way_is_not_gone_on_with(tmp_path, monkeypatch):
    image = np.random.default_rng(0).integers(0, 99, (4, 60, 50), np.uint16)
    zarr.create_array(tmp_path / "a.zarr", data=image)
    write = ImarisFile.write_chunk
    with monkeypatch.context() as patched:
        # Another chunk that can be decoded: what a disk gives back after an error.
        wrong = bf.to_imaris.__globals__["ImarisOptions"]().encoder
        patched.setattr(
            ImarisFile,
            "write_chunk",
            lambda self, level, index, _: write(
                self, level, index, wrong.encode(np.zeros((4, 64, 64), np.uint16))
            ),
        )
        with pytest.raises(StoreWriteError, match="read back"):
            bf.to_imaris(tmp_path / "a.zarr", tmp_path / "a.ims")
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]
    result = bf.to_imaris(tmp_path / "a.zarr", tmp_path / "a.ims")
    assert result.n_resumed == 0
    assert result.n_verified > 0
