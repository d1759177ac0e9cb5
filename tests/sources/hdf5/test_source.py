"""HDF5 files as a source: which dataset, which levels, which pixels."""

from __future__ import annotations

from contextlib import closing

import h5py
import numpy as np
import pytest

from brickfield.errors import (
    ChunkReadError,
    OptionError,
    StoreFormatError,
    StoreNotFoundError,
)
from brickfield.sources.hdf5.source import matches, open_source
from brickfield.sources.protocol import ChunkSource


@pytest.fixture
def volume():
    return np.random.default_rng(0).integers(0, 9000, (40, 50, 60)).astype("u2")


@pytest.fixture
def pyramid_file(tmp_path, volume):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for level, step in ((1, 2), (0, 1), (2, 4)):
            file.create_dataset(
                f"vol/s{level}",
                data=volume[::step, ::step, ::step],
                chunks=(8, 8, 8),
                compression="gzip",
            )
        file["vol/s0"].attrs["element_size_um"] = (2.0, 1.0, 1.0)
        file["mask"] = np.ones((10, 10), "u1")
        file["curve"] = np.ones(100000)
    return path


def test_the_largest_dataset_and_its_coarser_siblings_are_the_image(
    pyramid_file, volume, read_level
):
    source = open_source(str(pyramid_file))
    assert isinstance(source, ChunkSource)
    assert [lv.path for lv in source.info.pyramid.levels] == [
        "/vol/s0",
        "/vol/s1",
        "/vol/s2",
    ]
    for level, step in enumerate((1, 2, 4)):
        expected = volume[::step, ::step, ::step]
        assert np.array_equal(read_level(source, level), expected)
    assert source.info.pyramid.levels[1].voxel_size == pytest.approx((4, 2, 2))
    assert source.info.pyramid.levels[1].translation == pytest.approx((1, 0.5, 0.5))
    assert source.info.series == ("/vol/s0", "/mask")
    assert [f.code for f in source.info.findings] == ["several-datasets"]
    source.close()


def test_kept_results_are_no_images_of_the_file_but_open_by_name(tmp_path):
    path, data = tmp_path / "scan.h5", np.arange(2 * 3 * 8 * 8, dtype="u1")
    with h5py.File(path, "w") as file:
        file["scan/data"] = data.reshape(2, 3, 8, 8)
        file["cached/fft_4d/amplitude"] = np.ones((2, 3, 8, 8), "f8")
    with closing(open_source(str(path))) as source:
        assert source.info.pyramid.dtype == np.uint8
        assert (source.info.name, source.info.series) == ("scan", ("/scan/data",))
        assert not source.info.findings
    name = "/cached/fft_4d/amplitude"
    with closing(open_source(str(path), series=name)) as source:
        assert source.info.pyramid.dtype == np.float64


def test_a_path_behind_the_file_names_one_dataset(pyramid_file, volume, read_level):
    for uri in (f"{pyramid_file}:/vol/s1", f"{pyramid_file}::vol/s1"):
        source = open_source(uri)
        assert source.info.pyramid.n_levels == 1
        assert np.array_equal(read_level(source, 0), volume[::2, ::2, ::2])
        source.close()


def test_a_series_and_a_list_of_paths_choose(pyramid_file):
    source = open_source(str(pyramid_file), series="/mask")
    assert source.info.pyramid.levels[0].shape == (10, 10)
    source.close()
    source = open_source(str(pyramid_file), paths=["vol/s0", "vol/s2"])
    assert source.info.pyramid.n_levels == 2
    source.close()


def test_equal_datasets_are_images_of_their_own_not_levels(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["t0"] = np.zeros((20, 20, 20), "u1")
        file["t1"] = np.zeros((20, 20, 20), "u1")
    source = open_source(str(tmp_path / "a.h5"))
    assert source.info.pyramid.n_levels == 1
    assert source.info.series == ("/t0", "/t1")
    source.close()


def test_a_path_that_is_not_there_names_those_that_are(pyramid_file):
    with pytest.raises(StoreNotFoundError, match="/vol/s0"):
        open_source(f"{pyramid_file}:/nothing")
    with pytest.raises(OptionError, match="/mask"):
        open_source(str(pyramid_file), series="nothing")
    with pytest.raises(OptionError, match="levels"):
        open_source(str(pyramid_file), paths=["vol/s0", "mask"])


def test_a_file_without_pictures_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["curve"] = np.ones(5)
    with pytest.raises(StoreFormatError, match="found none"):
        open_source(str(tmp_path / "a.h5"))
    with pytest.raises(StoreFormatError, match="two or more axes"):
        open_source(str(tmp_path / "a.h5") + ":/curve")


def test_a_refused_file_is_closed_again(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["curve"] = np.ones(5)
    with pytest.raises(StoreFormatError):
        open_source(str(path))
    with h5py.File(path, "a") as file:
        assert "curve" in file


def test_reading_after_close_fails_cleanly(pyramid_file):
    source = open_source(str(pyramid_file))
    source.close()
    with pytest.raises(ChunkReadError, match="closed"):
        source.read_storage_chunk(0, (0, 0, 0))


def test_files_are_known_by_suffix_or_signature(pyramid_file, tmp_path):
    assert matches(str(pyramid_file))
    assert matches(f"{pyramid_file}:/vol/s0")
    odd = pyramid_file.rename(tmp_path / "odd")
    assert matches(str(odd))
    (tmp_path / "b.bin").write_bytes(b"text")
    assert not matches(str(tmp_path / "b.bin"))


@pytest.mark.parametrize("name", ["Si100_4D.emd", "example_image.emd"])
def test_real_emd_files_equal_what_h5py_reads(real_data, name, read_level):
    path = real_data / "emd" / name
    source = open_source(str(path))
    with h5py.File(path) as file:
        expected = file[source.info.pyramid.levels[0].path][()]
    assert np.array_equal(read_level(source, 0), expected)
    source.close()


def test_datasets_behind_links_to_other_files_are_listed_and_opened(tmp_path):
    """As detectors write them: a master file that links to the files of images."""
    import h5py

    data = np.arange(4 * 6 * 8, dtype="u2").reshape(4, 6, 8)
    with h5py.File(tmp_path / "data_1.h5", "w") as file:
        file["entry/data/data"] = data
    with h5py.File(tmp_path / "a_master.h5", "w") as file:
        for i in (1, 2):
            link = h5py.ExternalLink(f"data_{i}.h5", "/entry/data/data")
            file[f"entry/data/data_{i}"] = link
        file["group"] = h5py.ExternalLink("data_1.h5", "/entry")
        file["small"] = np.zeros((3, 3), "u1")
    source = open_source(str(tmp_path / "a_master.h5"))
    assert source.info.series == (
        "/entry/data/data_1",
        "/group/data/data",
        "/small",
    )
    assert np.array_equal(source.read_storage_chunk(0, (0, 0, 0)).data, data)
    codes = [f.code for f in source.info.findings]
    assert "broken-link" in codes, "the second file is not there"
    source.close()


def test_levels_whose_names_end_in_factors_are_one_pyramid(tmp_path):
    """As Luxendo writes them: Data, Data_2_2_2 and Data_4_4_4, each with its size."""
    with h5py.File(tmp_path / "a.lux.h5", "w") as file:
        for factor in (1, 2, 4):
            name = "Data" if factor == 1 else f"Data_{factor}_{factor}_{factor}"
            shape = (16 // factor, 24 // factor, 32 // factor)
            level = file.create_dataset(name, data=np.full(shape, factor, "u2"))
            level.attrs["element_size_um"] = [2.0 * factor, 0.5 * factor, 0.25 * factor]
    source = open_source(str(tmp_path / "a.lux.h5"))
    levels = source.info.pyramid.levels
    assert [lv.path.strip("/") for lv in levels] == ["Data", "Data_2_2_2", "Data_4_4_4"]
    assert [lv.voxel_size for lv in levels] == [(2, 0.5, 0.25), (4, 1, 0.5), (8, 2, 1)]
    assert levels[1].translation == (1, 0.25, 0.125)
    assert source.info.pyramid.unit == "micrometer"
    source.close()
