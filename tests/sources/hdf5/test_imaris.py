"""Imaris files: pixels, true sizes, geometry and everything that may be absent."""

from __future__ import annotations

from contextlib import closing

import h5py
import numpy as np
import pytest

from brickfield.errors import ChunkReadError, StoreFormatError, StoreNotFoundError
from brickfield.sources.hdf5.imaris import matches, open_source
from brickfield.sources.open import open_source as open_any
from brickfield.sources.protocol import ChunkSource

SIZES = [(20, 50, 70), (10, 25, 35)]


def _letters(text):
    return np.frombuffer(text.encode(), "S1")


def _padded(array, chunk):
    room = [(0, -n % c) for n, c in zip(array.shape, chunk, strict=True)]
    return np.pad(array, room)


@pytest.fixture
def volumes():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 9000, (2, 3, *size)).astype("u2") for size in SIZES]


@pytest.fixture
def ims(tmp_path, volumes):
    """Two levels, two times, three channels, padded to whole chunks."""
    path = tmp_path / "cell.ims"
    with h5py.File(path, "w") as file:
        file.attrs["ImarisVersion"] = _letters("5.5.0")
        file.attrs["DataSetDirectoryName"] = _letters("DataSet")
        file.attrs["DataSetInfoDirectoryName"] = _letters("DataSetInfo")
        for level, volume in enumerate(volumes):
            for t, c in np.ndindex(2, 3):
                group = file.create_group(
                    f"DataSet/ResolutionLevel {level}/TimePoint {t}/Channel {c}"
                )
                for name, n in zip("ZYX", volume.shape[2:], strict=True):
                    group.attrs[f"ImageSize{name}"] = _letters(str(n))
                group.attrs["HistogramMin"] = _letters("5.000")
                group.attrs["HistogramMax"] = _letters("8000.000")
                data = _padded(volume[t, c], (8, 32, 32))
                group.create_dataset(
                    "Data", data=data, chunks=(8, 32, 32), compression="gzip"
                )
        image = file.create_group("DataSetInfo/Image")
        for number, (low, high) in enumerate([(10, 45), (20, 45), (0, 40)]):
            image.attrs[f"ExtMin{number}"] = _letters(f"{low:.3f}")
            image.attrs[f"ExtMax{number}"] = _letters(f"{high:.3f}")
        for name, n in zip("ZYX", SIZES[0], strict=True):
            image.attrs[name] = _letters(str(n))
        image.attrs["Unit"] = _letters("um")
        image.attrs["Name"] = _letters("a cell")
        for c in range(2):
            channel = file.create_group(f"DataSetInfo/Channel {c}")
            channel.attrs["Name"] = _letters(f"dye {c}")
            channel.attrs["Color"] = _letters("1.000 0.500 0.000")
            channel.attrs["ColorRange"] = _letters("100.000 900.000")
        times = file.create_group("DataSetInfo/TimeInfo")
        times.attrs["TimePoint1"] = _letters("2020-01-01 00:00:00.000")
        times.attrs["TimePoint2"] = _letters("2020-01-01 00:01:30.500")
    return path


def test_every_level_gives_its_true_voxels_without_padding(ims, volumes, read_level):
    source = open_source(str(ims))
    assert isinstance(source, ChunkSource)
    assert "".join(a.name for a in source.info.pyramid.axes) == "tczyx"
    for level, volume in enumerate(volumes):
        assert np.array_equal(read_level(source, level), volume)
    assert source.info.findings == ()
    source.close()


def test_pixels_equal_those_of_an_independent_reader(ims, read_level):
    ims_class = pytest.importorskip("imaris_ims_file_reader.ims").ims
    source = open_source(str(ims))
    mine = [read_level(source, level) for level in range(len(SIZES))]
    source.close()
    reader = ims_class(str(ims), squeeze_output=False)
    for level, (z, y, x) in enumerate(SIZES):
        for t, c in np.ndindex(2, 3):
            theirs = np.asarray(reader[level, t, c, 0:z, 0:y, 0:x]).reshape(z, y, x)
            assert np.array_equal(mine[level][t, c], theirs)
    reader.hf.close()


def test_levels_share_one_extent_with_centres_half_a_voxel_inside(ims):
    with closing(open_source(str(ims))) as source:
        pyramid = source.info.pyramid
    fine, coarse = pyramid.levels
    assert fine.voxel_size_zyx == (2, 0.5, 0.5)
    assert coarse.voxel_size_zyx == (4, 1, 1)
    assert fine.translation_zyx == (1, 20.25, 10.25)
    assert coarse.translation_zyx == (2, 20.5, 10.5)
    assert pyramid.unit == "micrometer"
    assert fine.voxel_size[0] == 90.5


def test_channels_have_names_colours_and_ranges(ims):
    with closing(open_source(str(ims))) as source:
        info = source.info
    assert info.name == "a cell"
    first, _, last = info.channels
    assert (first.name, first.color, first.window) == (
        "dye 0",
        (255, 128, 0),
        (100, 900),
    )
    # No info group: the histogram gives the range.
    assert (last.name, last.color, last.window) == ("Channel 2", None, (5, 8000))


@pytest.mark.parametrize(
    ("remove", "code"),
    [
        pytest.param("sizes", "no-image-size", id="sizes"),
        pytest.param("extent", "no-extent", id="extent"),
        pytest.param("times", "no-times", id="times"),
    ],
)
def test_what_is_absent_becomes_a_finding(ims, remove, code):
    with h5py.File(ims, "a") as file:
        if remove == "sizes":
            group = file["DataSet/ResolutionLevel 1/TimePoint 0/Channel 0"]
            del group.attrs["ImageSizeX"]
        elif remove == "extent":
            del file["DataSetInfo/Image"].attrs["ExtMax2"]
        else:
            del file["DataSetInfo/TimeInfo"]
    source = open_source(str(ims))
    assert code in {f.code for f in source.info.findings}
    source.close()


def test_a_file_without_info_opens_with_unit_voxels(ims, volumes, read_level):
    with h5py.File(ims, "a") as file:
        del file["DataSetInfo"]
    source = open_source(str(ims))
    assert source.info.pyramid.levels[0].voxel_size_zyx == (1, 1, 1)
    assert source.info.pyramid.levels[0].translation_zyx == (0, 0, 0)
    assert np.array_equal(read_level(source, 1), volumes[1])
    source.close()


def test_an_absent_channel_of_one_time_is_missing_not_zero(ims):
    with h5py.File(ims, "a") as file:
        del file["DataSet/ResolutionLevel 0/TimePoint 1/Channel 2"]
    source = open_source(str(ims))
    assert source.read_storage_chunk(0, (1, 2, 0, 0, 0)).data is None
    assert source.missing_chunks(
        0, np.array([[1, 2, 0, 0, 0], [0, 2, 0, 0, 0]])
    ).tolist() == [True, False]
    source.close()


def test_a_damaged_coarse_level_is_left_out_with_a_finding(ims):
    with h5py.File(ims, "a") as file:
        del file["DataSet/ResolutionLevel 1/TimePoint 0/Channel 0/Data"]
    source = open_source(str(ims))
    assert source.info.pyramid.n_levels == 1
    assert [f.code for f in source.info.findings] == ["no-level"]
    source.close()


def test_a_broken_link_fails_when_it_is_read(ims):
    with h5py.File(ims, "a") as file:
        del file["DataSet/ResolutionLevel 0/TimePoint 1/Channel 0"]
        time = file["DataSet/ResolutionLevel 0/TimePoint 1"]
        time["Channel 0"] = h5py.ExternalLink("gone.h5", "/a")
    source = open_source(str(ims))
    with pytest.raises(ChunkReadError, match="Channel 0"):
        source.read_storage_chunk(0, (1, 0, 0, 0, 0))
    source.close()


def test_channels_stored_in_other_chunks_are_read_all_the_same(
    ims, volumes, read_level
):
    with h5py.File(ims, "a") as file:
        group = file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 1"]
        data = group["Data"][()]
        del group["Data"]
        group.create_dataset("Data", data=data, chunks=(4, 64, 16))
    source = open_source(str(ims))
    assert np.array_equal(read_level(source, 0), volumes[0])
    source.close()


def test_a_file_that_is_no_imaris_file_is_refused(tmp_path):
    path = tmp_path / "a.ims"
    with pytest.raises(StoreNotFoundError):
        open_source(str(path))
    with h5py.File(path, "w") as file:
        file["image"] = np.ones((3, 3))
    with pytest.raises(StoreFormatError, match="DataSet"):
        open_source(str(path))
    with h5py.File(path, "a") as file:
        file.create_group("DataSet/ResolutionLevel 0/TimePoint 0")
    with pytest.raises(StoreFormatError, match="channel"):
        open_source(str(path))


def test_the_suffix_tells():
    assert matches("/data/A.IMS")
    assert not matches("/data/a.h5")


@pytest.mark.parametrize(
    "name",
    [
        "Minimal_IMS_File.ims",
        "test-output-little-endian/mri-stack-16bit-header.ims",
    ],
)
def test_real_files_equal_what_h5py_reads(real_data, name, read_level):
    path = real_data / "imaris" / name
    source = open_source(str(path))
    with h5py.File(path) as file:
        for level, about in enumerate(source.info.pyramid.levels):
            stored = file[f"{about.path}/TimePoint 0/Channel 0/Data"]
            z, y, x = about.shape_zyx
            assert np.array_equal(read_level(source, level)[0, 0], stored[:z, :y, :x])
    source.close()


XML = """<SpimData version="0.2"><BasePath type="relative">.</BasePath>
<SequenceDescription>
<ImageLoader format="bdv.imaris"><hdf5 type="relative">{name}</hdf5></ImageLoader>
<ViewSetups><ViewSetup><id>0</id><size>4 4 4</size></ViewSetup></ViewSetups>
<Timepoints type="range"><first>0</first><last>0</last></Timepoints>
</SequenceDescription>
<ViewRegistrations><ViewRegistration timepoint="0" setup="0"><ViewTransform
type="affine"><affine>1 0 0 0 0 1 0 0 0 0 1 0</affine></ViewTransform>
</ViewRegistration></ViewRegistrations></SpimData>"""


def test_an_xml_file_that_names_an_imaris_file_opens_it(ims):
    xml = ims.with_suffix(".xml")
    xml.write_text(XML.format(name=ims.name))
    with closing(open_any(str(xml))) as named, closing(open_any(str(ims))) as itself:
        assert named.info.pyramid.levels[0].shape == itself.info.pyramid.levels[0].shape
        assert named.info.channels == itself.info.channels
        assert "bdv-imaris" in [finding.code for finding in named.info.findings]
