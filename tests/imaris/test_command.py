"""Files that ``to_imaris`` writes, against numpy and readers of other people."""

import dask.array as da
import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tests.imaris import reference
from tests.imaris.validator import problems, text

import brickfield as bf
from brickfield.errors import BudgetError, OptionError
from brickfield.sources import from_arrays

RNG = np.random.default_rng(3)


def noise(shape, dtype):
    values = RNG.random(shape) * 3000
    return (values - 1500 if np.dtype(dtype).kind == "f" else values).astype(dtype)


def stored(path, level, time=0, channel=0):
    place = f"DataSet/ResolutionLevel {level}/TimePoint {time}/Channel {channel}"
    with h5py.File(path) as file:
        group = file[place]
        z, y, x = (int(text(group, f"ImageSize{a}")) for a in "ZYX")
        return group["Data"][:z, :y, :x]


def histogram(path, level, name="", time=0, channel=0):
    place = f"DataSet/ResolutionLevel {level}/TimePoint {time}/Channel {channel}"
    with h5py.File(path) as file:
        group = file[place]
        ends = [float(text(group, f"Histogram{e}{name}")) for e in ("Min", "Max")]
        return group[f"Histogram{name}"][...], tuple(ends)


# -- the tests that the description of the export names ----------------------------


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "float32"])
def test_to_imaris_statistics_correctness(tmp_path, dtype):
    """Streamed minimum, maximum and histogram are those of the whole array."""
    image = noise((21, 70, 90), dtype)
    bf.to_imaris(image, tmp_path / "a.ims", levels=3, chunks=(8, 32, 32))
    for number, level in enumerate(reference.pyramid(image, 3)):
        for name in [""] if dtype == "uint8" else ["", "1024"]:
            counts, span = histogram(tmp_path / "a.ims", number, name)
            wanted, limits = reference.histogram(level, 1024 if name else 256)
            assert_array_equal(counts, wanted)
            assert span == pytest.approx(limits, abs=6e-4)


@pytest.mark.parametrize("scale", [1e-7, 1.0, 1e30])
def test_the_range_of_a_float_histogram_keeps_its_digits(tmp_path, scale):
    """Of values that are small, with three digits nothing would be left."""
    image = (noise((5, 20, 30), "float32") * scale).astype(np.float32)
    bf.to_imaris(image, tmp_path / "a.ims")
    _, span = histogram(tmp_path / "a.ims", 0)
    assert span == (image.min(), image.max())
    assert problems(tmp_path / "a.ims") == []


def test_to_imaris_thumbnail_correctness(tmp_path):
    """The picture is the maximum along z, coloured, of the level of 256 pixels."""
    images = [noise((9, 300, 270), "uint16") for _ in range(2)]
    colors, windows = [(255, 0, 0), (0, 128, 255)], [(0, 4000), (500, 3000)]
    bf.to_imaris(
        np.stack(images),
        tmp_path / "a.ims",
        axes="czyx",
        colors=colors,
        windows=windows,
    )
    with h5py.File(tmp_path / "a.ims") as file:
        assert_array_equal(
            file["Thumbnail/Data"][...], reference.thumbnail(images, colors, windows)
        )


def test_to_imaris_round_trip_with_dask(tmp_path):
    """What is saved of a dask array and opened again is the array."""
    image = noise((2, 20, 50, 60), "uint16")
    lazy = da.from_array(image, chunks=(1, 10, 25, 30))
    bf.to_imaris(lazy, tmp_path / "a.ims")
    opened = bf.open_store(tmp_path / "a.ims")
    for channel in range(2):
        found = opened.read(0, ((0, 0, 0), image.shape[1:]), (0, channel))
        assert_array_equal(found, image[channel])


def test_to_imaris_with_dask_array(tmp_path):
    """A dask array is never computed as a whole, and each block once."""
    seen = []

    def make(block_info=None):
        seen.append(block_info[None]["chunk-location"])
        return np.full((16, 40, 40), sum(block_info[None]["chunk-location"]), "u2")

    lazy = da.map_blocks(make, dtype="u2", chunks=((16,) * 3, (40,) * 4, (40,) * 3))
    result = bf.to_imaris(lazy, tmp_path / "a.ims", budget="64 MiB", levels=3)
    assert sorted(seen) == sorted(set(seen))
    assert len(seen) == result.n_decoded == 3 * 4 * 3
    assert_array_equal(stored(tmp_path / "a.ims", 0), lazy.compute())


def test_to_imaris_multi_channel_dask(tmp_path):
    """Every channel is written by itself, under its own name and colour."""
    image = noise((3, 12, 40, 40), "uint8")
    lazy = da.from_array(image, chunks=(3, 12, 20, 40))
    bf.to_imaris(
        lazy, tmp_path / "a.ims", channel_names=["a", "b", "c"], colors=["r", "g", "b"]
    )
    for channel in range(3):
        assert_array_equal(stored(tmp_path / "a.ims", 0, 0, channel), image[channel])
    assert [c.name for c in bf.open_store(tmp_path / "a.ims").channels] == [
        "a",
        "b",
        "c",
    ]
    assert problems(tmp_path / "a.ims") == []


@pytest.mark.parametrize(
    ("dtype", "written"),
    [
        ("uint8", "uint8"),
        ("bool", "uint8"),
        ("uint16", "uint16"),
        ("int16", "uint16"),
        ("int8", "uint8"),
        ("uint32", "uint32"),
        ("int32", "uint32"),
        ("uint64", "uint32"),
        ("float32", "float32"),
        ("float64", "float32"),
    ],
)
def test_to_imaris_dtype_preservation(tmp_path, dtype, written):
    """Values are kept, whatever type they have in the file."""
    image = (RNG.random((8, 20, 20)) * 120).astype(dtype)
    result = bf.to_imaris(image, tmp_path / "a.ims")
    assert result.dtype == written
    assert_array_equal(stored(tmp_path / "a.ims", 0), image.astype(written))


# -- structure, readers of others -------------------------------------------------


SHAPES = st.tuples(st.integers(1, 35), st.integers(1, 70), st.integers(1, 70))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    shape=SHAPES,
    lead=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    dtype=st.sampled_from(["uint8", "uint16", "uint32", "float32"]),
    chunk=st.sampled_from([None, (8, 16, 16), (3, 7, 11)]),
    stored_chunk=st.sampled_from([(5, 9, 13), (16, 16, 16), (1, 70, 70), (64, 64, 64)]),
    n_levels=st.integers(1, 4),
)
def test_any_shape_gives_a_valid_file_with_the_voxels_of_numpy(
    tmp_path_factory, shape, lead, dtype, chunk, stored_chunk, n_levels
):
    path = tmp_path_factory.mktemp("any") / "a.ims"
    image = noise((*lead, *shape), dtype)
    blocks = (1, 1, *stored_chunk)
    lazy = da.from_array(image, chunks=blocks)
    result = bf.to_imaris(
        lazy, path, axes="tczyx", chunks=chunk, levels=n_levels, verify=True
    )
    assert problems(path, own_chunks=chunk is not None, own_levels=True) == []
    for t in range(lead[0]):
        for c in range(lead[1]):
            for number, level in enumerate(reference.pyramid(image[t, c], n_levels)):
                found = stored(path, number, t, c)
                if dtype == "float32":
                    np.testing.assert_allclose(found, level, rtol=1e-5, atol=1e-3)
                else:
                    assert_array_equal(found, level)
    assert result.n_decoded == lazy.npartitions


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_another_reader_finds_the_same_voxels_and_places(tmp_path, dtype, shuffle):
    reader = pytest.importorskip("imaris_ims_file_reader.ims").ims
    image = noise((2, 2, 30, 64, 48), dtype)
    source = from_arrays(image, axes="tczyx", scale=(2, 0.5, 0.25))
    bf.to_imaris(source, tmp_path / "a.ims", levels=2, shuffle=shuffle)
    opened = reader(str(tmp_path / "a.ims"))
    try:
        assert opened.shape == image.shape
        assert opened.resolution == pytest.approx((2, 0.5, 0.25))
        assert opened.ResolutionLevels == 2
        for t in range(2):
            for c in range(2):
                assert_array_equal(opened[t, c], image[t, c])
    finally:
        opened.hf.close()


@pytest.mark.parametrize(
    "axes", ["zyx", "czyx", "zcyx", "yxzt", "xyz", "yx", "tyx", "cx", "zx", "xtcz"]
)
@pytest.mark.parametrize("kind", [np.asarray, da.from_array], ids=["numpy", "dask"])
def test_axes_may_come_in_any_subset_and_order(tmp_path, axes, kind):
    sizes = {"t": 2, "c": 3, "z": 5, "y": 20, "x": 30}
    image = noise([sizes[a] for a in axes], "uint16")
    bf.to_imaris(kind(image), tmp_path / "a.ims", axes=axes)
    whole = np.einsum(f"{axes}->{''.join(a for a in 'tczyx' if a in axes)}", image)
    shape = [sizes[a] if a in axes else 1 for a in "tczyx"]
    whole = whole.reshape(shape)
    for t in range(shape[0]):
        for c in range(shape[1]):
            assert_array_equal(stored(tmp_path / "a.ims", 0, t, c), whole[t, c])
    assert problems(tmp_path / "a.ims") == []


def test_our_reader_finds_names_colours_windows_extents_and_times(tmp_path):
    image = noise((3, 2, 10, 20, 30), "uint16")
    source = from_arrays(
        image, axes="tczyx", scale=(5, 1, 2, 0.5, 0.25), translation=(0, 0, 10, -4, 7)
    )
    bf.to_imaris(
        source,
        tmp_path / "a.ims",
        channel_names=["nuclei/µ", "50 %"],
        colors=["magenta", (0, 255, 0)],
        windows=[(10, 200.5), (0, 3000)],
        name="a picture",
    )
    opened = bf.open_store(tmp_path / "a.ims")
    assert opened.info.name == "a picture"
    assert [c.name for c in opened.channels] == ["nuclei/µ", "50 %"]
    assert [c.color for c in opened.channels] == [(255, 0, 255), (0, 255, 0)]
    assert [c.window for c in opened.channels] == [(10, 200.5), (0, 3000)]
    level = opened.pyramid.levels[0]
    assert level.voxel_size == pytest.approx((5, 1, 2, 0.5, 0.25))
    assert level.translation == pytest.approx((0, 0, 10, -4, 7))


def test_labels_become_a_channel_of_their_own_with_the_most_frequent_label(tmp_path):
    labels = np.zeros((4, 8, 8), np.int32)
    labels[:, :4] = 7
    labels[0, 0, 0] = 70_000
    source = from_arrays(labels, is_labels=True, name="cells")
    result = bf.to_imaris(source, tmp_path / "a.ims", levels=2)
    assert result.dtype == "uint32"
    assert set(np.unique(stored(tmp_path / "a.ims", 1))) == {0, 7}


# -- what is chosen ---------------------------------------------------------------


def test_channels_times_and_regions_are_chosen(tmp_path):
    image = noise((4, 3, 20, 30, 40), "uint16")
    bf.to_imaris(
        from_arrays(image, axes="tczyx", scale=(1, 2, 2, 2, 2)),
        tmp_path / "a.ims",
        channels=[2, 0],
        time_points=[1, 3],
        region="4:20,:10,8:",
    )
    cut = image[..., 4:20, :10, 8:]
    assert_array_equal(stored(tmp_path / "a.ims", 0, 0, 0), cut[1, 2])
    assert_array_equal(stored(tmp_path / "a.ims", 0, 1, 1), cut[3, 0])
    opened = bf.open_store(tmp_path / "a.ims")
    assert opened.pyramid.levels[0].translation_zyx == pytest.approx((8, 0, 16))


def test_a_coarser_level_of_the_source_is_where_an_export_may_begin(tmp_path):
    fine, coarse = noise((8, 64, 64), "uint8"), noise((4, 32, 32), "uint8")
    bf.to_imaris(from_arrays([fine, coarse]), tmp_path / "a.ims", level=1)
    assert_array_equal(stored(tmp_path / "a.ims", 0), coarse)


@pytest.mark.parametrize("compression", ["gzip", "lz4", "none"])
def test_every_compression_keeps_the_voxels(tmp_path, compression):
    pytest.importorskip("hdf5plugin")
    image = noise((9, 40, 50), "uint16")
    for shuffle in (False, True):
        path = tmp_path / f"{shuffle}.ims"
        bf.to_imaris(image, path, compression=compression, shuffle=shuffle)
        assert_array_equal(stored(path, 0), image)
        assert problems(path, lz4=compression == "lz4") == []


@pytest.mark.parametrize("level", [0, 1, 3, 9])
def test_every_level_of_gzip_keeps_the_voxels(tmp_path, level):
    image = noise((4, 30, 30), "uint8")
    bf.to_imaris(image, tmp_path / "a.ims", compression_opts=level)
    assert_array_equal(stored(tmp_path / "a.ims", 0), image)


def test_signed_voxels_are_shifted_when_that_is_asked_for(tmp_path):
    image = (noise((5, 20, 20), "float32")).astype(np.int16)
    result = bf.to_imaris(image, tmp_path / "a.ims", dtype="uint16", name="n")
    assert_array_equal(stored(tmp_path / "a.ims", 0), image.astype(int) + 32768)
    assert "32768" in result.changes[0]
    with h5py.File(tmp_path / "a.ims") as file:
        assert "32768" in text(file["DataSetInfo/Image"], "Description")
        assert "32768" in text(file["DataSetInfo/Channel 0"], "Name")


def test_bytes_are_scaled_by_the_window_and_never_wrap(tmp_path):
    image = np.array([[[0, 100, 200, 300, 60_000]] * 5], np.uint16)
    bf.to_imaris(image, tmp_path / "a.ims", dtype="uint8", windows=[(100, 355)])
    assert stored(tmp_path / "a.ims", 0)[0, 0].tolist() == [0, 0, 100, 200, 255]


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32", "uint32"])
def test_without_a_window_bytes_span_the_smallest_to_the_largest_value(tmp_path, dtype):
    image = noise((3, 2, 9, 30, 31), dtype)
    if dtype == "float32":
        image[0, 0, 0, 0, :3] = np.nan, np.inf, -np.inf
    result = bf.to_imaris(image, tmp_path / "a.ims", axes="tczyx", dtype="uint8")
    assert problems(tmp_path / "a.ims") == []
    for c in range(2):
        values = image[:, c].astype(np.float64)
        finite = values[np.isfinite(values)]
        low, high = finite.min(), finite.max()
        shown = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
        wanted = np.rint((shown - low) / (high - low) * 255).astype(np.uint8)
        for t in range(3):
            assert_array_equal(stored(tmp_path / "a.ims", 0, t, c), wanted[t])
        told = f"{low:g} to {high:g} became 0 to 255"
        assert told in result.changes[c]
        assert any(told in note for note in result.notes)


@pytest.mark.parametrize("value", [0, 7])
def test_a_constant_image_can_be_scaled(tmp_path, value):
    bf.to_imaris(np.full((3, 9, 9), value, "u2"), tmp_path / "a.ims", dtype="uint8")
    assert (stored(tmp_path / "a.ims", 0) == 0).all()


def test_values_too_large_for_float32_are_told(tmp_path):
    image = np.full((4, 8, 8), 1e300)
    result = bf.to_imaris(image, tmp_path / "a.ims")
    assert any("256 values are too large" in note for note in result.notes)


# -- what is odd or refused --------------------------------------------------------


@pytest.mark.parametrize(
    "image",
    [
        np.full((5, 9, 9), np.nan, np.float32),
        np.array([[[np.nan, np.inf, -np.inf, 3.0]]], np.float32),
        np.zeros((3, 9, 9), np.uint16),
        np.full((3, 9, 9), 65535, np.uint16),
        np.full((1, 1, 1), 4_000_000_000, np.uint32),
        np.ones((1, 1, 100_000), np.uint8),
    ],
    ids=["nan", "infinite", "empty", "full", "one voxel", "long"],
)
def test_odd_values_and_shapes_give_a_valid_file(tmp_path, image):
    bf.to_imaris(image, tmp_path / "a.ims", chunks=(4, 16, 1024))
    assert problems(tmp_path / "a.ims", own_chunks=True) == []
    assert_array_equal(stored(tmp_path / "a.ims", 0), image)


@pytest.mark.parametrize(
    ("image", "options", "told"),
    [
        (np.full((2, 3, 3), -1, np.int16), {}, "--dtype uint16"),
        (np.full((2, 3, 3), 1 << 40, np.int64), {}, "float32"),
        (np.zeros((2, 3, 3), np.complex64), {}, "real numbers"),
        (np.zeros((2, 0, 3), np.uint8), {}, "length 0"),
        (np.zeros((2, 3, 3), np.uint16), {"dtype": "int8"}, "dtype out of"),
        (np.zeros((2, 3, 3), np.uint8), {"compression": "zstd"}, "gzip"),
        (np.zeros((2, 3, 3), np.uint8), {"compression_opts": 12}, "0 to 9"),
        (np.zeros((2, 3, 3), np.uint8), {"chunks": "0,1,1"}, "Z,Y,X"),
        (np.zeros((2, 3, 3), np.uint8), {"region": "0:9,:,:"}, "region"),
        (np.zeros((2, 3, 3), np.uint8), {"channels": [1]}, "channel"),
        (np.zeros((2, 3, 3), np.uint8), {"level": 1}, "level"),
        (np.zeros((2, 3, 3), np.uint8), {"levels": 0}, "levels"),
        (np.zeros((2, 3, 3), np.uint8), {"units": "parsec"}, "unit"),
        (np.zeros((2, 3, 3), np.uint8), {"spacing": (1, -1, 1)}, "spacing"),
        (np.zeros((2, 3, 3), np.uint8), {"windows": [(3, 1)]}, "window"),
        (np.zeros((2, 3, 3), np.uint8), {"colors": ["no such"]}, "colour"),
        (np.zeros((2, 3, 3), np.uint8), {"colors": [(-1, 0, 0)]}, "colour"),
        (np.zeros((2, 3, 3), np.uint8), {"colors": [(300, 0, 0)]}, "colour"),
        (np.zeros((2, 3, 3), np.uint8), {"chunks": (999, 999, 999)}, "at most 268"),
        (np.zeros((2, 3, 3), np.uint8), {"channel_names": ["a", "b"]}, "1 channels"),
        (np.zeros((2, 2, 3, 3), np.uint8), {"axes": "tzyx", "times": [1, 0]}, "rise"),
        (np.zeros((2, 3, 3, 3), np.uint8), {"axes": "qzyx"}, "'q'"),
        (np.zeros((2, 3, 3), "M8[s]"), {}, "real numbers"),
        ([np.zeros((2, 3, 3)), np.ones((2, 3, 3))], {}, "numpy.stack"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_no_file(
    tmp_path, image, options, told
):
    with pytest.raises(OptionError, match=told):
        bf.to_imaris(image, tmp_path / "a.ims", **options)
    assert not (tmp_path / "a.ims").exists()


def test_a_budget_that_is_too_small_says_what_is_needed(tmp_path):
    with pytest.raises(BudgetError, match="at least"):
        bf.to_imaris(np.zeros((9, 300, 300), "u2"), tmp_path / "a.ims", budget="1 MiB")


def test_a_mosaic_is_written_without_the_room_to_move_its_tiles_in(tmp_path):
    """Extents and voxels, also where BigDataViewer's file beside it says they are."""
    one, two = (RNG.integers(1, 250, (12, 40, 50)).astype("u1") for _ in range(2))
    places = [np.diag([2.0, 0.5, 0.5, 1.0]) for _ in range(2)]
    places[0][:3, 3], places[1][:3, 3] = (10, 3, 7), (14, -2, 22)
    whole = np.zeros((14, 50, 80), "u1")
    whole[:12, 10:, :50] = one
    whole[2:, :40, 30:] = np.maximum(whole[2:, :40, 30:], two)
    with bf.open_mosaic([one, two], places, margin=0.8) as mosaic:
        mosaic.move(
            mosaic.tiles[1][0], places[1] + np.outer([0, 99, 0, 0], [0, 0, 0, 1])
        )
        mosaic.reset()
        result = bf.to_imaris(mosaic, tmp_path / "a.ims", bdv_xml=True)
        part = bf.to_imaris(mosaic, tmp_path / "b.ims", region="0:9,0:9,0:9")
    assert result.shape == (1, 1, *whole.shape)
    assert any("left out the empty room" in note for note in result.notes)
    assert part.shape == (1, 1, 9, 9, 9)
    assert not any("left out" in note for note in part.notes)
    with h5py.File(tmp_path / "a.ims") as file:
        image = file["DataSetInfo/Image"]
        low, high = (
            [float(text(image, f"{end}{n}")) for n in (2, 1, 0)]
            for end in ("ExtMin", "ExtMax")
        )
    assert low == pytest.approx([9, -2.25, 6.75])
    assert high == pytest.approx([37, 22.75, 46.75])
    for name in ("a.ims", "a.xml"):
        with bf.open_store(tmp_path / name) as opened:
            levels = opened.pyramid.levels
            assert_array_equal(opened.read(0).squeeze(), whole)
            assert levels[0].translation_zyx == pytest.approx((10, -2, 7))
            assert levels[0].voxel_size_zyx == pytest.approx((2, 0.5, 0.5))
