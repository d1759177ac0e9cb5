"""Volumes moved by a matrix, against scipy and numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from brickfield.errors import OptionError
from brickfield.transforms.operations import resample
from brickfield.transforms.operations.convention import centre_of, rotation, translation
from brickfield.transforms.operations.grid import fitting_grid
from brickfield.transforms.operations.operation import Volume
from brickfield.transforms.operations.resample import Resample

TURNS = {"z": (2, 1), "y": (0, 2), "x": (1, 0)}
EQUAL = (1.0, 1.0, 1.0)


def by_scipy(data, forward, shape, order, fill=0.0):
    pull = np.linalg.inv(forward)
    return ndimage.affine_transform(
        data.astype(np.float64), pull[:3, :3], pull[:3, 3], shape, order=order,
        mode="constant", cval=fill,
    )  # fmt: skip


def turned(phantom, degrees=23.0, axis="y", size=(3.0, 1.0, 0.7), by=(0, 0, 0)):
    turn = rotation(degrees, axis, centre_of(phantom.shape), size)
    return translation(by) @ turn


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_a_turn_of_an_anisotropic_phantom_is_what_scipy_makes(
    phantom, make_all, way, axis
):
    matrix = turned(phantom, axis=axis)
    made = make_all(Resample.by(matrix, phantom.shape), phantom)
    expected = by_scipy(phantom, matrix, phantom.shape, 1)
    assert np.abs(made - expected).max() <= 1e-6 * np.ptp(phantom)
    assert np.abs(expected).max() > 50


@pytest.mark.parametrize("order", [0, 3])
def test_other_orders_are_what_scipy_makes(phantom, make_all, order):
    matrix = turned(phantom, by=(0.3, -1.2, 2.1))
    made = make_all(Resample.by(matrix, phantom.shape, order=order), phantom)
    expected = by_scipy(phantom, matrix, phantom.shape, order)
    assert np.abs(made - expected).max() <= 2e-6 * np.ptp(phantom)


def test_a_turn_back_and_forth_gives_the_volume_again(phantom, make_all):
    smooth = ndimage.gaussian_filter(phantom, 2)
    there = make_all(Resample.by(turned(smooth, 20), smooth.shape, order=3), smooth)
    back = make_all(Resample.by(turned(smooth, -20), smooth.shape, order=3), there)
    inner = (slice(4, 7), slice(4, -4), slice(8, -8))
    assert np.abs(back - smooth)[inner].max() < 0.02 * np.ptp(smooth)


@pytest.mark.parametrize("order", [0, 1, 3])
@pytest.mark.parametrize("k", [1, 2, 3, -1])
@pytest.mark.parametrize("axis", TURNS)
def test_quarter_turns_on_equal_axes_are_copies(make_all, axis, k, order):
    data = np.random.default_rng(1).integers(0, 2**63, (9, 9, 9), dtype=np.uint64)
    turn = rotation(90 * k, axis, centre_of(data.shape), EQUAL)
    made = make_all(Resample.by(turn, data.shape, order=order), data)
    assert np.array_equal(made, np.rot90(data, k, axes=TURNS[axis]))


@pytest.mark.parametrize("axis", TURNS)
def test_quarter_turns_of_unequal_axes_are_copies_in_a_fitting_grid(make_all, axis):
    data = np.random.default_rng(1).integers(0, 255, (5, 70, 131), dtype=np.uint8)
    turn = rotation(90, axis, centre_of(data.shape), EQUAL)
    grid = fitting_grid(data.shape, turn)
    made = make_all(Resample.by(grid.forward(turn), grid.shape), data)
    assert np.array_equal(made, np.rot90(data, 1, axes=TURNS[axis]))


@given(st.tuples(*[st.integers(-9, 9)] * 3))
def test_whole_shifts_are_copies(make_all, offset):
    data = np.random.default_rng(2).random((5, 6, 7))
    data[1, 2, 3] = np.nan
    made = make_all(Resample.by(translation(offset), data.shape, fill=-1), data)
    expected = np.full(data.shape, -1.0)
    source = tuple(
        slice(max(-o, 0), max(n - max(o, 0), 0))
        for o, n in zip(offset, data.shape, strict=False)
    )
    target = tuple(
        slice(max(o, 0), max(n - max(-o, 0), 0))
        for o, n in zip(offset, data.shape, strict=False)
    )
    expected[target] = data[source]
    assert np.array_equal(made, expected, equal_nan=True)


def test_combined_samples_once(make_all):
    """A turn and a fractional shift of one bright voxel smear it over 8, not 64."""
    data = np.zeros((9, 9, 9), np.float32)
    data[4, 4, 4] = 1
    matrix = translation((0.5, 0.5, 0.5)) @ rotation(90, "z", (4, 4, 4), EQUAL)
    made = make_all(Resample.by(matrix, data.shape), data)
    assert (made > 0).sum() == 8
    assert made.max() == 0.125


def test_first_the_turn_then_the_shift(make_all):
    """A voxel beside the centre along +x goes to +y, then on by the shift."""
    data = np.zeros((1, 9, 9), np.uint8)
    data[0, 4, 6] = 7
    matrix = translation((0, 1, -3)) @ rotation(90, "z", (0, 4, 4), EQUAL)
    made = make_all(Resample.by(matrix, data.shape), data)
    assert np.argwhere(made).tolist() == [[0, 7, 1]]


def test_integers_are_rounded_half_to_even(make_all, way):
    data = np.array([[[0, 1, 2, 3, 4, 7]]], np.uint8)
    made = make_all(Resample.by(translation((0, 0, -0.5)), data.shape, fill=9), data)
    assert made.tolist() == [[[0, 2, 2, 4, 6, 9]]]


def test_integers_are_clipped_not_wrapped(make_all):
    """Cubic splines overshoot beside an edge."""
    data = np.zeros((1, 1, 20), np.uint8)
    data[..., 10:] = 255
    shift = Resample.by(translation((0, 0, 0.5)), data.shape, order=3)
    made = make_all(shift, data).astype(int)
    exact = by_scipy(data, translation((0, 0, 0.5)), data.shape, 3)
    assert exact.max() > 256
    assert exact.min() < -1
    assert np.array_equal(made, np.clip(np.rint(exact), 0, 255))


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"])
def test_the_ends_of_every_integer_type_come_through(make_all, way, dtype):
    info = np.iinfo(dtype)
    data = np.array([[[info.min, info.min, info.max, info.max]]], dtype)
    made = make_all(Resample.by(translation((0, 0, 0.5)), data.shape), data)
    assert made.dtype == data.dtype
    assert made[0, 0, 1] == info.min
    # Beyond 53 bits floats are coarser than integers; nothing wraps all the same.
    assert made[0, 0, 3] == (info.max if info.bits < 64 else float(made[0, 0, 3]))
    assert made[0, 0, 3] > info.max - 2**11


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_floats_keep_their_type(make_all, way, dtype):
    data = np.arange(8, dtype=dtype).reshape(1, 1, 8)
    made = make_all(Resample.by(translation((0, 0, 0.25)), data.shape), data)
    assert made.dtype == data.dtype
    assert made[0, 0, 1:].tolist() == [i - 0.25 for i in range(1, 8)]


def test_booleans_are_moved(make_all):
    data = np.zeros((3, 4, 5), bool)
    data[1, 2, 3] = True
    made = make_all(Resample.by(translation((0, 1, 0)), data.shape), data)
    assert np.argwhere(made).tolist() == [[1, 3, 3]]


def test_a_neighbour_of_weight_0_does_not_count(make_all, way):
    """NaN and infinity lie beside the plane that is hit exactly."""
    data = np.ones((3, 4, 6), np.float32)
    data[2], data[0] = np.nan, np.inf
    made = make_all(Resample.by(translation((0, 0, 0.5)), data.shape), data)
    assert np.isnan(made[2, :, 1:]).all()
    assert (made[1, :, 1:] == 1).all()
    assert np.isinf(made[0, :, 1:]).all()
    assert (made[..., 0] == 0).all()


def test_nan_spreads_to_what_is_made_of_it(make_all, way):
    data = np.arange(7.0).reshape(1, 1, 7)
    data[0, 0, 3] = np.nan
    made = make_all(Resample.by(translation((0, 0, 0.5)), data.shape, fill=-1), data)
    assert np.array_equal(
        made[0, 0], [-1, 0.5, 1.5, np.nan, np.nan, 4.5, 5.5], equal_nan=True
    )


def test_order_3_refuses_what_is_not_a_number(make_all):
    data = np.ones((5, 5, 5))
    data[2, 2, 2] = np.nan
    with pytest.raises(OptionError, match="order 1"):
        make_all(Resample.by(turned(data), data.shape, order=3), data)


@pytest.mark.parametrize("order", [0, 1, 3])
def test_outside_the_outermost_centres_there_is_the_fill_value(make_all, way, order):
    if way == "numpy" and order == 3:
        pytest.skip("cubic splines need scipy")
    data = np.full((4, 4, 4), 50, np.uint8)
    made = make_all(
        Resample.by(translation((0, 0, 0.25)), data.shape, order=order, fill=7), data
    )
    assert (made[..., 0] == 7).all()
    assert (made[..., 1:] == 50).all()


def test_a_border_that_is_hit_but_for_rounding_counts(make_all, way):
    """Three turns by 120 degrees are one of 360, with errors of some 1e-16."""
    data = np.random.default_rng(0).random((6, 8, 8)).astype(np.float32)
    matrix = np.linalg.matrix_power(rotation(120, "z", centre_of(data.shape), EQUAL), 3)
    made = make_all(Resample.by(matrix, data.shape), data)
    assert np.abs(made - data).max() < 1e-6


@given(
    st.sampled_from(["z", "y", "x"]),
    st.floats(-360, 360),
    st.tuples(*[st.floats(-6, 6)] * 3),
    st.tuples(*[st.sampled_from([0.5, 1.0, 3.0])] * 3),
)
def test_any_turn_and_shift_is_what_scipy_makes(
    phantom, make_all, axis, degrees, by, size
):
    matrix = turned(phantom, degrees, axis, size, by)
    data = phantom.astype(np.float64)
    made = make_all(Resample.by(matrix, phantom.shape), data)
    expected = by_scipy(data, matrix, phantom.shape, 1)
    # Where rounding decides whether a point is on the border, both are right.
    at = np.indices(phantom.shape).reshape(3, -1)
    pull = np.linalg.inv(matrix)
    there = pull[:3, :3] @ at + pull[:3, 3:]
    last = np.array(phantom.shape)[:, None] - 1
    border = (np.abs(there) < 1e-6) | (np.abs(there - last) < 1e-6)
    sure = ~border.any(axis=0).reshape(phantom.shape)
    assert np.abs(made - expected)[sure].max(initial=0) <= 1e-6 * np.ptp(data)


@pytest.mark.parametrize("order", [0, 1, 3])
def test_regions_put_together_are_the_whole(make_all, order):
    data = np.random.default_rng(3).random((70, 20, 90)).astype(np.float32)
    operation = Resample.by(turned(data, 40), data.shape, order=order)
    whole = make_all(operation, data)
    parts = np.empty_like(whole)
    for z in (slice(0, 33), slice(33, 70)):
        for x in (slice(0, 17), slice(17, 90)):
            region = (z, slice(0, 20), x)
            parts[region] = make_all(operation, data, region)
    assert np.abs(parts - whole).max() < 1e-5


def test_only_the_box_of_a_region_is_read(make_all):
    data = np.zeros((64, 64, 64), np.uint8)
    operation = Resample.by(translation((0, 10.5, 0)), data.shape)
    make_all(operation, data, (slice(0, 8), slice(20, 30), slice(0, 8)))
    (box,) = make_all.boxes
    # Rows 9.5 to 18.5 lie between rows 9 and 19.
    assert box == (slice(0, 8), slice(9, 20), slice(0, 8))


def test_nothing_is_read_for_what_lies_outside(make_all):
    data = np.ones((8, 8, 8), np.uint8)
    made = make_all(Resample.by(translation((0, 0, 20)), data.shape, fill=3), data)
    assert (made == 3).all()
    assert not make_all.boxes


def test_boxes_stay_bounded_where_a_matrix_shrinks(make_all, monkeypatch):
    monkeypatch.setattr(resample, "MOST_BOX", 1000)
    data = np.random.default_rng(0).random((60, 60, 60))
    matrix = np.diag([0.1, 0.1, 0.1, 1])
    made = make_all(Resample.by(matrix, (6, 6, 6)), data)
    assert np.allclose(made, data[::10, ::10, ::10])
    sizes = [np.prod([s.stop - s.start for s in box]) for box in make_all.boxes]
    assert max(sizes) <= 1000


@pytest.mark.parametrize("order", [-1, 2, 4, 1.5, None])
def test_other_orders_are_refused(order):
    with pytest.raises(OptionError, match="0, 1, 3"):
        Resample.by(np.eye(4), (1, 1, 1), order=order)


@pytest.mark.parametrize("fill", [-1, 256, 0.5, np.nan, np.inf])
def test_a_fill_value_that_the_type_lacks_is_refused(make_all, fill):
    data = np.zeros((2, 2, 2), np.uint8)
    with pytest.raises(OptionError, match="uint8"):
        make_all(Resample.by(np.eye(4), data.shape, fill=fill), data)


def test_the_compiled_loops_do_what_the_plain_ones_do(phantom, make_all, monkeypatch):
    pytest.importorskip("numba")
    from brickfield.transforms.operations import rows, trilinear

    data = phantom.astype("u2")
    compiled = make_all(Resample.by(turned(phantom), data.shape), data)
    monkeypatch.setattr(trilinear, "fill_rows", lambda: rows.fill_rows.py_func)
    plain = make_all(Resample.by(turned(phantom), data.shape), data)
    assert np.array_equal(plain, compiled)


def test_a_piece_of_splines_is_made_in_steps_between_which_it_may_end(phantom):
    pytest.importorskip("scipy")
    asked, region = [], tuple(slice(0, n) for n in phantom.shape)
    volume = Volume(
        phantom.shape, phantom.dtype, phantom.__getitem__, lambda: asked.append(1)
    )
    operation = Resample.by(
        rotation(20, "y", (5, 9, 11), (1, 1, 1)), phantom.shape, order=3
    )
    operation.make(volume, region)
    assert len(asked) >= operation.n_steps(region, phantom.shape) == 5
