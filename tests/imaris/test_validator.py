"""The validator accepts a good file and names what is wrong with each broken one."""

import shutil

import h5py
import numpy as np
import pytest
from tests.imaris.validator import problems

import brickfield as bf


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("good") / "good.ims"
    data = np.arange(2 * 2 * 9 * 20 * 21, dtype=np.uint16).reshape(2, 2, 9, 20, 21)
    bf.to_imaris(data, path, axes="tczyx", levels=2)
    return path


CHANNEL = "DataSet/ResolutionLevel 0/TimePoint 1/Channel 1"


def padded_text(file):
    del file.attrs["ImarisVersion"]
    file.attrs["ImarisVersion"] = np.frombuffer(b"5.5.0", "S1")


def scalar_text(file):
    del file.attrs["ImarisVersion"]
    file.attrs["ImarisVersion"] = "5.5.0"


def left_over(file):
    file.attrs["Something"] = np.frombuffer(b"x", "S1")


def dropped_time(file):
    del file["DataSet/ResolutionLevel 1/TimePoint 1"]


def dropped_channel(file):
    del file[CHANNEL]


def shifted_histogram(file):
    file[f"{CHANNEL}/Histogram"][3] += 1


def short_histogram(file):
    del file[f"{CHANNEL}/Histogram"]
    file[f"{CHANNEL}/Histogram"] = np.zeros(255, np.uint64)


def signed_histogram(file):
    counts = file[f"{CHANNEL}/Histogram"][...].astype(np.int64)
    del file[f"{CHANNEL}/Histogram"]
    file[f"{CHANNEL}/Histogram"] = counts


def no_fine_histogram(file):
    del file[f"{CHANNEL}/Histogram1024"]


def filled_padding(file):
    data = file[f"{CHANNEL}/Data"]
    data[-1, -1, -1] = 7


def replaced(file, **options):
    data = file[f"{CHANNEL}/Data"]
    voxels = data[...]
    dtype = options.pop("dtype", voxels.dtype)
    shape = options.pop("shape", voxels.shape)
    del file[f"{CHANNEL}/Data"]
    whole = np.zeros(shape, dtype)
    cut = tuple(slice(min(a, b)) for a, b in zip(shape, voxels.shape, strict=True))
    whole[cut] = voxels[cut]
    file[CHANNEL].create_dataset("Data", data=whole, **options)


def unpadded(file):
    replaced(file, shape=(9, 20, 21), chunks=(4, 16, 16), compression="gzip")


def oblong_chunk(file):
    replaced(file, shape=(16, 32, 64), chunks=(16, 32, 64), compression="gzip")


def signed_voxels(file):
    replaced(file, dtype=np.int16, chunks=file[f"{CHANNEL}/Data"].chunks)


def foreign_filter(file):
    replaced(file, chunks=file[f"{CHANNEL}/Data"].chunks, compression="lzf")


def checksummed(file):
    replaced(file, chunks=file[f"{CHANNEL}/Data"].chunks, fletcher32=True)


def contiguous(file):
    replaced(file)


def no_extent(file):
    del file["DataSetInfo/Image"].attrs["ExtMax1"]


def no_channel_info(file):
    del file["DataSetInfo/Channel 1"]


def no_thumbnail(file):
    del file["Thumbnail/Data"]


def extra_level(file):
    file.copy("DataSet/ResolutionLevel 1", "DataSet/ResolutionLevel 2")


def other_number_of_sets(file):
    file.attrs["NumberOfDataSets"] = np.array([1], np.int64)


@pytest.mark.parametrize(
    ("break_it", "named"),
    [
        (padded_text, "padding"),
        (scalar_text, "class"),
        (left_over, "root attributes"),
        (dropped_time, "time points"),
        (dropped_channel, "time points"),
        (shifted_histogram, "sum"),
        (short_histogram, "bins"),
        (signed_histogram, "histogram"),
        (no_fine_histogram, "histogram 1024"),
        (filled_padding, "padding"),
        (unpadded, "padded shape"),
        (oblong_chunk, "chunk"),
        (signed_voxels, "dtype"),
        (foreign_filter, "filters"),
        (checksummed, "filters"),
        (contiguous, "data"),
        (no_extent, "image"),
        (no_channel_info, "channel 1"),
        (no_thumbnail, "thumbnail"),
        (extra_level, "level rule"),
        (other_number_of_sets, "NumberOfDataSets"),
    ],
)
def test_a_file_broken_in_one_way_is_told_by_that(good, tmp_path, break_it, named):
    path = tmp_path / "broken.ims"
    shutil.copy(good, path)
    with h5py.File(path, "r+") as file:
        break_it(file)
    assert any(named in p for p in problems(path, own_levels=True))


def test_a_newer_superblock_is_told(good, tmp_path):
    path = tmp_path / "latest.ims"
    with h5py.File(good) as old, h5py.File(path, "w", libver="latest") as new:
        for name in old:
            old.copy(name, new)
    assert "superblock" in problems(path, own_levels=True)


def test_a_good_file_has_no_problems(good):
    assert problems(good, own_levels=True) == []
