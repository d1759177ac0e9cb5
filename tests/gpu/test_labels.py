"""Object numbers: never mixed, background clear, each with its colour."""

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.model.requests import ChunkState, LoadedChunk

pytestmark = pytest.mark.gpu


def _color(label):
    """The colour of a label as the shader makes it (float64)."""
    h = label * 0x9E3779B1 & 0xFFFFFFFF
    h ^= h >> 16
    hue = (h & 0xFFFF) / 65536 * 6
    value = 0.75 + 0.25 * (h >> 20 & 15) / 15
    saturation = 0.55 + 0.4 * (h >> 16 & 15) / 15
    ramp = np.clip([abs(hue - 3) - 1, 2 - abs(hue - 2), 2 - abs(hue - 4)], 0, 1)
    return 255 * value * (1 - saturation + saturation * ramp)


def _labels(dtype):
    """A checkerboard of numbers behind empty slices, 0 in between."""
    data = np.zeros((20, 40, 48), dtype)
    numbers = np.arange(1, 1 + 10 * 12).reshape(10, 12) * 3
    small = np.kron(numbers, np.ones((4, 4), int))
    small[::7] = 0
    data[9:14] = (small % 100).astype(dtype)
    return data


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "?"])
def test_each_voxel_has_its_label_s_colour(dtype, harness, stages):
    data = _labels(dtype)
    look = harness.look_of(is_labels=True)
    image = stages(data, look).image(harness.along_axis(data.shape))[..., :3]
    front = data[9].astype(int)
    for label in np.unique(front):
        expected = _color(int(label)) if label else np.zeros(3)
        assert np.abs(image[front == label] - expected).max() <= 1


def test_the_nearest_label_hides_what_is_behind(harness, stages):
    data = np.zeros((40, 40, 40), np.uint16)
    data[10, 5:20, 5:20] = 7
    data[25, 10:30, 10:30] = 9
    image = stages(data, harness.look_of(is_labels=True)).image(
        harness.along_axis(data.shape)
    )[..., :3]
    front = np.where(data[10] > 0, data[10], data[25]).astype(int)
    for label in (7, 9):
        assert np.abs(image[front == label] - _color(label)).max() <= 1
    assert not image[front == 0].any()


def test_one_label_can_be_shown_alone(harness, stages):
    data = _labels("u2")
    look = harness.look_of(is_labels=True, selected_label=30)
    image = stages(data, look).image(harness.along_axis(data.shape), look)[..., :3]
    shown = data[9] == 30
    assert shown.any()
    np.testing.assert_array_equal(image.any(axis=-1), shown)


def test_64_bit_numbers_keep_apart(harness, stages):
    data = np.zeros((4, 32, 32), np.uint64)
    rng = np.random.default_rng(0)
    data[1] = rng.integers(1 << 33, 1 << 62, (32, 32))
    data[1, 0, :4] = [1, 2, (1 << 40) + 1, (1 << 40) + 2]
    data[1, 5] = 0
    image = stages(data, harness.look_of(is_labels=True)).image(
        harness.along_axis(data.shape)
    )[..., :3]
    assert not image[5].any()
    assert image[np.arange(32) != 5].any(axis=-1).all()
    assert len(np.unique(image[0, :4], axis=0)) == 4
    chosen = int(data[1, 9, 9])
    look = harness.look_of(is_labels=True, selected_label=chosen)
    image = stages(data, look).image(harness.along_axis(data.shape), look)
    assert np.argwhere(image[..., :3].any(axis=-1)).tolist() == [[9, 9]]


def test_skipping_empty_chunks_changes_no_label(harness, stages):
    data = np.zeros((48, 64, 64), np.uint32)
    rng = np.random.default_rng(1)
    for label in range(1, 9):
        z, y, x = rng.integers(0, 40, 3)
        data[z : z + 6, y : y + 9, x : x + 7] = label * 1000
    look = harness.look_of(is_labels=True)
    stage, camera = stages(data, look), harness.oblique(data.shape)
    on, off = stage.image(camera), stage.image(camera, skip=False)
    assert on[..., :3].any()
    np.testing.assert_array_equal(on, off)


def test_surfaces_of_labels_are_shaded(harness, stages):
    data = np.zeros((40, 40, 40), np.uint16)
    grid = np.indices(data.shape)
    data[((grid - 19.5) ** 2).sum(axis=0) < 15**2] = 5
    flat = harness.look_of(is_labels=True)
    lit = harness.look_of("iso", is_labels=True)
    camera = harness.along_axis(data.shape)
    stage = stages(data, flat)
    plain = stage.image(camera, flat)[..., 0].astype(float)
    shaded = stage.image(camera, lit)[..., 0].astype(float)
    assert shaded[20, 20] == pytest.approx(plain[20, 20], abs=1)
    # Towards the rim the surface turns away from the eye.
    assert shaded[20, 6] < 0.85 * plain[20, 6]
    assert (shaded <= plain + 1).all()


@pytest.mark.parametrize("dtype", ["i1", "u2", "u8"])
def test_a_constant_chunk_has_the_colour_of_its_label(dtype, harness, stages):
    value = {"i1": -3, "u2": 60000, "u8": (1 << 41) + 77}[dtype]
    data = np.full((8, 16, 32), value, dtype)
    pyramid = harness.pyramid_of([data.shape], dtype, (8, 16, 16))
    look = harness.look_of(is_labels=True)
    stage = stages.keep(harness.Stage(pyramid, [[data]], look))
    first, second = harness.all_names(pyramid)
    stage.put([first])
    stage.bricks.want({first: True, second: True})
    missing = LoadedChunk(second[1], (), ChunkState.MISSING, None, value, value)
    stage.bricks.accept(second, missing)
    image = stage.image(harness.along_axis(data.shape))[..., :3]
    assert image.any(axis=-1).all()
    assert len(np.unique(image.reshape(-1, 3), axis=0)) == 1


def _table(n):
    """Random opaque colours; row 0 is that of label 0."""
    colors = np.random.default_rng(n).integers(0, 256, (n, 4), dtype=np.uint8)
    colors[:, 3] = 255
    colors[0] = 0
    return colors


def _in_turn(labels, colors):
    """napari's rule, in the type of the labels: ``(k - 1) % n + 1``, 0 clear."""
    with np.errstate(over="ignore"):
        rows = (labels - labels.dtype.type(1)) % (len(colors) - 1) + 1
    return np.where(labels[..., None] == 0, 0, colors[rows.astype(np.int64)])


def _picked_numbers(dtype):
    """All that is special about a type, and random numbers, shape (20, 30)."""
    ends = np.iinfo(dtype)
    rng = np.random.default_rng(8)
    data = rng.integers(ends.min, ends.max, (20, 30), dtype, endpoint=True)
    small = rng.integers(-60 if ends.min else 0, 60, (6, 30)).astype(dtype)
    data[:6] = small
    data[6, :6] = [0, 1, ends.max, ends.max - 1, ends.min, ends.min + 1]
    return data


@pytest.mark.parametrize("n", [2, 50, 300])
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"])
def test_labels_take_turns_with_the_colours_of_a_table(dtype, n, harness, stages):
    n = min(n, 100) if dtype in ("u1", "i1") else n
    data = np.zeros((3, 20, 30), dtype)
    data[1] = _picked_numbers(dtype)
    look = harness.look_of(is_labels=True, label_colors=_table(n))
    image = stages(data, look).image(harness.along_axis(data.shape))[..., :3]
    expected = _in_turn(data[1], look.label_colors)[..., :3]
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("dtype", ["i1", "u2", "i4", "u8", "i8"])
def test_some_labels_have_colours_of_their_own(dtype, harness, stages):
    data = np.zeros((3, 20, 30), dtype)
    data[1] = _picked_numbers(dtype)
    labels = np.unique(data[1])
    own = {int(k): (int(i % 256), 17, 99, 255) for i, k in enumerate(labels[::3]) if k}
    look = harness.look_of(is_labels=True, label_colors=_table(50), label_overrides=own)
    image = stages(data, look).image(harness.along_axis(data.shape))[..., :3]
    expected = _in_turn(data[1], look.label_colors)[..., :3]
    for label, color in own.items():
        expected[data[1] == label] = color[:3]
    np.testing.assert_array_equal(image, expected)


def test_a_label_of_a_clear_colour_hides_nothing(harness, stages):
    data = np.zeros((20, 20, 30), np.uint16)
    data[5, :, :20] = 3
    data[12] = 4
    colors = np.array([[0] * 4, [0, 255, 0, 255]], np.uint8)
    look = harness.look_of(
        is_labels=True, label_colors=colors, label_overrides={3: (255, 0, 0, 0)}
    )
    image = stages(data, look).image(harness.along_axis(data.shape))[..., :3]
    assert (image == [0, 255, 0]).all()


def test_a_half_clear_colour_is_laid_over_the_background(harness, stages):
    data = np.full((4, 20, 30), 1, np.uint16)
    colors = np.array([[0] * 4, [0, 255, 0, 128]], np.uint8)
    look = harness.look_of(is_labels=True, label_colors=colors, opacity=0.5)
    camera = harness.along_axis(data.shape)
    image = stages(data, look).image(camera, background=(1.0, 0.0, 0.0))
    a = 128 / 255 / 2
    assert np.abs(image[..., :3] - [255 * (1 - a), 255 * a, 0]).max() <= 1


@pytest.mark.parametrize("value", [-7, -(1 << 40), (1 << 41) + 5])
def test_a_wide_label_is_the_same_in_a_chunk_of_its_own(value, harness, stages):
    data = np.full((8, 16, 32), value, np.int64)
    pyramid = harness.pyramid_of([data.shape], np.int64, (8, 16, 16))
    colors = _table(50)
    look = harness.look_of(is_labels=True, label_colors=colors, selected_label=value)
    stage = stages.keep(harness.Stage(pyramid, [[data]], look))
    first, second = harness.all_names(pyramid)
    stage.put([first])
    stage.bricks.want({first: True, second: True})
    missing = LoadedChunk(second[1], (), ChunkState.MISSING, None, value, value)
    stage.bricks.accept(second, missing)
    image = stage.image(harness.along_axis(data.shape), look)[..., :3]
    assert (image == colors[(value - 1) % 49 + 1, :3]).all()


def test_a_table_that_is_none_is_refused(harness):
    for bad in (np.zeros((5, 3), np.uint8), np.zeros((5, 4)), np.zeros((1, 4), "u1")):
        with pytest.raises(OptionError, match="colours of labels"):
            harness.look_of(is_labels=True, label_colors=bad)
