"""Loaders of BigDataViewer: where they look and what they refuse."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import h5py
import numpy as np
import pytest

from brickfield.errors import StoreAccessError, StoreFormatError
from brickfield.sources.bdv.loaders import HDF5Loader, UnsignedArray, open_loader
from brickfield.sources.bdv.xml import SpimData

DATA = SpimData("bdv.hdf5", "a.h5", ".", (0,), (), frozenset(), ())


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    with h5py.File(tmp_path / "sub" / "a.h5", "w") as file:
        file["s00/resolutions"] = np.array([[1.0, 1, 1], [4, 2, 1]])
        for level, n in enumerate((8, 4)):
            cells = np.full((n, n, n), -1, "i2")
            file.create_dataset(
                f"t00000/s00/{level}/cells", data=cells, chunks=(4, 4, 4)
            )
    return tmp_path


def test_places_are_relative_to_the_base_path(folder):
    data = replace(DATA, base="sub")
    with closing(open_loader(data, str(folder))) as loader:
        assert loader.levels(0, 0).factors == ((1, 1, 1), (1, 2, 4))


def test_absolute_places_stand_alone(folder):
    data = replace(DATA, place=str(folder / "sub" / "a.h5"))
    with closing(open_loader(data, "elsewhere", follow_links=True)) as loader:
        assert loader.array(0, 0, 2) is None
    with closing(open_loader(data, str(folder / "sub"))) as loader:
        assert loader.array(0, 0, 2) is None
    with pytest.raises(StoreAccessError, match="--follow-links"):
        open_loader(data, "elsewhere")


def test_signed_voxels_are_meant_unsigned(folder):
    with closing(HDF5Loader(str(folder / "sub" / "a.h5"))) as loader:
        array = loader.array(0, 0, 0)
        assert isinstance(array, UnsignedArray)
        assert (array.read_chunk((1, 1, 1)).data == 65535).all()
        assert array.missing_chunks(np.zeros((1, 3), int)).tolist() == [False]


def test_factors_of_zero_are_refused(folder):
    with h5py.File(folder / "sub" / "a.h5", "a") as file:
        file["s00/resolutions"][0] = 0
    with (
        closing(HDF5Loader(str(folder / "sub" / "a.h5"))) as loader,
        pytest.raises(StoreFormatError, match="factors"),
    ):
        loader.levels(0, 0)


def test_a_loader_that_is_not_known_is_refused_by_name(tmp_path):
    data = replace(DATA, loader="spimreconstruction.filemap2", place="a.tif")
    (tmp_path / "a.tif").touch()
    with pytest.raises(StoreFormatError, match=r"bdv\.imaris; found 'spim"):
        open_loader(data, str(tmp_path))
