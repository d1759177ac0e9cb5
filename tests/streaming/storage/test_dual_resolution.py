"""A voxel storage in two resolutions: what comes anywhere is found again."""

import numpy as np
import pytest
import yaozarrs
import zarr

from brickfield.errors import OptionError, StoreFormatError
from brickfield.streaming import DualResolutionVoxelStorage
from brickfield.writing import downsample_downsample as downsample

SHAPE = (12, 70, 80)
CONFIG = {
    "shape": SHAPE,
    "voxel_size": (2.0, 0.5, 0.5),
    "origin": (10.0, -5.0, 0.0),
    "n_channels": 2,
    "channel_names": ["dapi", "gfp"],
}
RNG = np.random.default_rng(4)


@pytest.fixture(params=["memory", "disk"])
def storage(request, tmp_path):
    path = tmp_path / "v.zarr" if request.param == "disk" else None
    made = DualResolutionVoxelStorage(CONFIG, zarr_path=path)
    yield made
    made.close_zarr()


def world(at) -> np.ndarray:
    return np.asarray(at) * CONFIG["voxel_size"] + CONFIG["origin"]


def test_blocks_at_any_place_are_read_back_in_both_resolutions(storage):
    expected = np.zeros(SHAPE, np.uint16)
    for start, size in (((0, 0, 0), (4, 30, 80)), ((2, 20, 10), (10, 50, 20))):
        block = RNG.integers(1, 60_000, size).astype(np.uint16)
        region = tuple(slice(a, a + n) for a, n in zip(start, size, strict=True))
        expected[region] = block
        storage.write(1, start, block)
        assert np.array_equal(np.asarray(storage.channel(1)), expected)
        assert np.array_equal(
            storage.display(1), downsample(expected, (3, 3, 3), "mean")
        )
    assert not np.asarray(storage.channel(0)).any()
    part = storage.channel(1)[3, 5:40:2, -7:]
    assert np.array_equal(part, expected[3, 5:40:2, -7:])
    assert np.array_equal(storage.channel(1)[..., 7], expected[..., 7])


@pytest.mark.parametrize("mode", ["latest", "maximum", "average", "additive"])
def test_single_voxels_are_joined_as_the_mode_says(storage, mode):
    """Against a plain loop; some voxels are hit several times in a call."""
    values_at: dict[tuple[int, ...], list[float]] = {}
    for _ in range(3):
        at = np.stack([RNG.integers(0, n, 400) for n in (3, 4, 66)], axis=-1)
        values = RNG.integers(0, 30_000, 400)
        storage.update_storage(
            0, world(at) + 0.2 * np.array(CONFIG["voxel_size"]), values, 1.0, mode
        )
        for place, value in zip(map(tuple, at.tolist()), values.tolist(), strict=True):
            values_at.setdefault(place, []).append(value)
        storage.flush_all_zarr_buffers()
    join = {
        "latest": lambda v: v[-1],
        "maximum": max,
        "average": lambda v: np.rint(np.mean(v)),
        "additive": lambda v: min(sum(v), 65_535),
    }[mode]
    expected = np.zeros(SHAPE, np.uint16)
    for place, values in values_at.items():
        expected[place] = join(values)
    assert np.array_equal(np.asarray(storage.channel(0)), expected)


def test_voxels_outside_and_values_that_are_none_are_left_out(storage):
    at = world([(0, 0, 0), (-1, 0, 0), (0, 70, 0), (1, 1, 1)])
    at[3] = np.nan
    storage.update_storage(0, at, [5, 6, 7, 8])
    full = np.asarray(storage.channel(0))
    assert full[0, 0, 0] == 5
    assert np.count_nonzero(full) == 1


def test_fractions_are_rounded_and_clipped(storage):
    at = world([(0, 0, i) for i in range(4)])
    storage.update_storage(0, at, [1.5, 2.5, -7.0, 1e9])
    assert storage.channel(0)[0, 0, :4].tolist() == [2, 2, 0, 65_535]


def test_the_folder_is_one_image_for_each_channel(tmp_path):
    path = tmp_path / "v.zarr"
    storage = DualResolutionVoxelStorage(CONFIG, zarr_path=path)
    block = RNG.integers(1, 900, SHAPE).astype(np.uint16)
    storage.write(1, (0, 0, 0), block)
    storage.sync_display_to_zarr()
    storage.flush_all_zarr_buffers()
    yaozarrs.validate_zarr_store(path)
    image = zarr.open_group(path, mode="r")["1"]
    assert np.array_equal(image["0"][...], block)
    assert np.array_equal(image["1"][...], downsample(block, (3, 3, 3), "mean"))
    level = image.attrs["ome"]["multiscales"][0]["datasets"][1]
    scale, shift = (t for t in level["coordinateTransformations"])
    assert scale["scale"] == [6.0, 1.5, 1.5]
    assert shift["translation"] == [12.0, -4.5, 0.5]
    storage.close_zarr()
    storage.close_zarr()
    assert np.array_equal(np.asarray(storage.channel(1)), block)
    with pytest.raises(OptionError, match="was closed"):
        storage.write(0, (0, 0, 0), block)


def test_a_folder_is_loaded_and_left_as_it_is(tmp_path):
    path = tmp_path / "v.zarr"
    block = RNG.integers(1, 900, SHAPE).astype(np.uint16)
    first = DualResolutionVoxelStorage(CONFIG, zarr_path=path)
    first.write(0, (0, 0, 0), block)
    first.close_zarr()
    storage = DualResolutionVoxelStorage({"shape": (2, 2, 2)})
    storage.load_from_zarr(path)
    assert storage.shape == SHAPE
    assert storage.voxel_size == (2.0, 0.5, 0.5)
    assert storage.origin == (10.0, -5.0, 0.0)
    assert storage.channel_names == {0: "dapi", 1: "gfp"}
    assert np.array_equal(np.asarray(storage.channel(0)), block)
    assert np.array_equal(storage.display(0), downsample(block, (3, 3, 3), "mean"))
    storage.write(0, (0, 0, 0), block[:1] + 1)
    assert np.array_equal(np.asarray(storage.channel(0))[0], block[0] + 1)
    assert np.array_equal(zarr.open_group(path, mode="r")["0/0"][0], block[0])


def test_a_folder_without_channels_is_refused_and_nothing_changes(storage, tmp_path):
    with pytest.raises(StoreFormatError, match="found none"):
        storage.load_from_zarr(tmp_path)
    assert storage.shape == SHAPE


@pytest.mark.parametrize(
    "wrong",
    [
        {"shape": None},
        {"shape": (1, 2)},
        {"shape": (1, 2, 0)},
        {"n_channels": 0},
        {"voxel_size": (1, 0, 1)},
        {"display_factor": 0},
        {"channel_names": ["one"]},
        {"colour": "red"},
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        DualResolutionVoxelStorage({**CONFIG, **wrong})


def test_what_does_not_fit_is_refused(storage):
    block = np.ones((1, 2, 3), np.uint16)
    for channel, start, data in (
        (2, (0, 0, 0), block),
        (0, (0, 0, 79), block),
        (0, (0, -1, 0), block),
        (0, (0, 0, 0), block.astype(np.float32)),
        (0, (0, 0, 0), block[0]),
    ):
        with pytest.raises(ValueError, match="expected"):
            storage.write(channel, start, data)
    with pytest.raises(ValueError, match="update mode"):
        storage.update_storage(0, [(0, 0, 0)], [1], update_mode="newest")
    with pytest.raises(ValueError, match="shape"):
        storage.update_storage(0, [(0, 0)], [1])
