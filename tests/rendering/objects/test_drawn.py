"""Things are where they should be, hide what they should, and show their colours."""

import numpy as np
import pytest

from brickfield.model import AffineTransform
from brickfield.rendering.objects.drawn import as_light, vertex_normals
from brickfield.rendering.objects.values import SYMBOLS, Lines, Points, Surface

RED = (1.0, 0.0, 0.0, 1.0)


def point(z, y=20.0, x=20.0, **options) -> Points:
    """A red square of six voxels."""
    return Points(
        positions=[[z, y, x]], sizes=6, colors=RED, symbols="square", **options
    )


def sheet(z, **options) -> Surface:
    """A red square from 10 to 30 across the view."""
    corners = [[z, y, x] for y in (10, 30) for x in (10, 30)]
    options = {"colors": RED} | options
    return Surface(vertices=corners, faces=[[0, 1, 2], [1, 3, 2]], **options)


MIDDLE = (20, 20)
GLOSS = 3
"""What pygfx' light adds to a matte surface at most."""
KINDS = [pytest.param(point, id="point"), pytest.param(sheet, id="sheet")]


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize(("z", "is_seen"), [(5, True), (18, True), (35, False)])
def test_a_surface_of_the_volume_hides_what_is_behind_it(
    with_objects, slab, make, z, is_seen
):
    view = with_objects(slab, {"it": make(z)}, mode="iso")
    red, green, blue, _ = view.image()[MIDDLE]
    if is_seen:
        assert red == 255
        assert max(green, blue) <= GLOSS
    else:
        assert red == green == blue > 0, "the gray of the slab"


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("z", [5, 35])
def test_in_a_maximum_a_thing_is_one_more_sample(with_objects, slab, make, z):
    view = with_objects(slab, {"it": make(z)}, mode="mip")
    image = view.image()
    # Before the slab the ray ends at the object; behind it, it has met the slab.
    tissue = 100 if z > 20 else 0
    assert image[MIDDLE].tolist() == pytest.approx(
        [255, tissue, tissue, 255], abs=GLOSS
    )
    assert image[5, 5].tolist() == [100, 100, 100, 255], "beside it nothing changes"


@pytest.mark.parametrize("make", KINDS)
def test_in_a_minimum_a_thing_is_one_more_sample(with_objects, slab, make):
    view = with_objects(slab, {"it": make(35)}, mode="minip")
    assert view.image()[MIDDLE].tolist() == [0, 0, 0, 255]


@pytest.mark.parametrize("make", KINDS)
def test_fog_before_a_thing_dims_it(with_objects, slab, make):
    reds = []
    for z in (5, 35):
        view = with_objects(slab, {"it": make(z)}, mode="translucent")
        red, green, _, _ = (int(v) for v in view.image()[MIDDLE])
        reds.append(red - green)
    # Two voxels of opacity 100/255, laid over the red.
    assert reds[0] >= 255 - GLOSS
    assert reds[1] == pytest.approx(255 * (1 - 100 / 255) ** 2, abs=8)


@pytest.mark.parametrize("mode", ["average", "attenuated_mip", "additive"])
def test_other_projections_do_not_hide_an_object(with_objects, slab, mode):
    view = with_objects(slab, {"it": sheet(35)}, mode=mode)
    red, green, blue, _ = view.image()[MIDDLE]
    assert red == 255
    assert 0 < green == blue < 255


@pytest.mark.parametrize("make", KINDS)
def test_an_additive_layer_adds_its_light(with_objects, slab, make):
    view = with_objects(slab, {"it": make(35)}, mode="mip", blending="additive")
    added = view.image()[MIDDLE].tolist()
    assert added == pytest.approx([255, 100, 100, 255], abs=GLOSS)


def test_round_points_leave_the_volume_beside_their_edge_alone(with_objects, slab):
    free = with_objects(slab, {}).image()
    disc = Points(positions=[[5, 20, 20]], sizes=20, colors=RED, symbols="disc")
    image = with_objects(slab, {"it": disc}).image()
    is_disc = (image != free).any(axis=-1)
    y, x = np.mgrid[:40, :40]
    # World 20 is in the middle of pixel 20.
    distance = np.hypot(y - 20, x - 20)
    assert is_disc[distance < 9.3].all()
    assert not is_disc[distance > 10.7].any()
    assert set(map(tuple, image[is_disc].tolist())) == {(255, 0, 0, 255)}


@pytest.mark.parametrize("unit", ["world", "px"])
def test_sizes_are_diameters_in_world_units_or_pixels(with_objects, slab, unit):
    value = Points(
        positions=[[5, 40, 40]], sizes=20, size_unit=unit, symbols="square", colors=RED
    )
    # Two pixels a voxel.
    image = with_objects(slab, {"it": value}, size=(80, 80)).image()
    # The point is outside the middle, at voxel 40: only a corner of it is seen.
    rows = np.flatnonzero(
        (image[..., 1] == 0).any(axis=1) & (image[..., 0] > 200).any(axis=1)
    )
    assert 80 - rows.min() == pytest.approx(20 if unit == "world" else 10, abs=2)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_symbol_has_a_shape_of_its_own(with_objects, slab, symbol):
    value = Points(positions=[[5, 20, 20]], sizes=24, colors=RED, symbols=symbol)
    is_red = (with_objects(slab, {"it": value}).image()[..., :3] == [255, 0, 0]).all(-1)
    assert 20 < is_red.sum() <= 24 * 24
    assert is_red[20, 20] == (symbol not in ("ring", "clobber")) or symbol == "clobber"


def test_points_have_symbols_sizes_and_colours_of_their_own(with_objects, slab):
    value = Points(
        positions=[[5, 9.5, 9.5], [5, 9.5, 29.5], [5, 29.5, 9.5]],
        sizes=[4, 8, 12],
        colors=[[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]],
        symbols=["square", "square", "disc"],
    )
    image = with_objects(slab, {"it": value}).image()[..., :3]
    areas = [
        int((image == c).all(-1).sum()) for c in ([255, 0, 0], [0, 255, 0], [0, 0, 255])
    ]
    assert areas[:2] == [16, 64]
    assert areas[2] == pytest.approx(np.pi * 36, rel=0.15)


def test_a_transform_places_objects(with_objects, slab):
    # Turn z, y, x by a quarter in the plane of y and x, stretch by 2, move.
    m = np.array([[1, 0, 0, 5], [0, 0, -2, 38], [0, 2, 0, 2], [0, 0, 0, 1.0]])
    world = AffineTransform.from_matrix(m)
    value = Points(
        positions=[[0, 4, 14]], sizes=3, colors=RED, symbols="square", world=world
    )
    image = with_objects(slab, {"it": value}).image()
    rows, columns = np.nonzero((image[..., :3] == [255, 0, 0]).all(-1))
    # y = 38 - 2 * 14, x = 2 + 2 * 4
    assert rows.mean() == pytest.approx(10, abs=0.6)
    assert columns.mean() == pytest.approx(10, abs=0.6)


@pytest.mark.parametrize("shading", ["none", "flat", "smooth"])
def test_a_face_turned_to_the_eye_has_its_colour(with_objects, slab, shading):
    color = (0.8, 0.4, 0.2, 1.0)
    value = sheet(5, colors=color, shading=shading)
    image = with_objects(slab, {"it": value}).image()
    assert image[MIDDLE][:3].tolist() == pytest.approx([204, 102, 51], abs=GLOSS)


@pytest.mark.parametrize("camera", ["ortho:x", "ortho:y", "orbit:140,-30"])
def test_no_lit_face_is_black_from_anywhere(with_objects, slab, camera):
    octahedron = np.array(
        [[d if a == i else 20 for i in range(3)] for a in range(3) for d in (5, 35)],
        float,
    )
    faces = [[a, b, c] for a in (0, 1) for b in (2, 3) for c in (4, 5)]
    value = Surface(vertices=octahedron, faces=faces, shading="flat")
    view = with_objects(slab, {"it": value}, mode="mip", camera=camera)
    view.layers[0].visible = False
    gray = view.image()[..., 0]
    assert gray[gray > 0].min() >= 70
    assert gray.max() > 150


def test_a_face_seen_at_an_angle_is_darker(with_objects, slab):
    straight = with_objects(slab, {"it": sheet(5, shading="flat")}).image()[MIDDLE][0]
    corners = [[z, y, x] for y, z in ((10, 2), (30, 16)) for x in (10, 30)]
    tilted = Surface(
        vertices=corners, faces=[[0, 1, 2], [1, 3, 2]], colors=RED, shading="flat"
    )
    slanted = with_objects(slab, {"it": tilted}).image()[MIDDLE][0]
    assert 100 < slanted < straight


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("opacity", [0.25, 0.5])
def test_a_partly_clear_thing_covers_that_share_of_its_pixels(
    with_objects, slab, make, opacity
):
    value = make(5, opacity=opacity)
    if make is point:
        value = Points(positions=[[5, 20, 20]], sizes=30, colors=RED, symbols="square",
                       opacity=opacity)  # fmt: skip
    image = with_objects(slab, {"it": value}, mode="iso").image()[12:28, 12:28]
    is_red = (image[..., 0] == 255) & (image[..., 1] <= GLOSS)
    is_slab = (image[..., 0] == image[..., 1]) & (image[..., 0] > 0)
    assert (is_red | is_slab).all(), "whole pixels of either"
    assert is_red.mean() == pytest.approx(opacity, abs=0.12)


def test_lines_join_their_points_and_no_others(with_objects, slab):
    value = Lines(
        paths=([[5, 5, 5], [5, 5, 35]], [[5, 30, 5], [5, 30, 35]]),
        colors=[[1, 0, 0, 1], [0, 1, 0, 1]],
        width=3,
    )
    image = with_objects(slab, {"it": value}).image()
    assert (image[5, 7:33, :3] == [255, 0, 0]).all()
    assert (image[30, 7:33, :3] == [0, 255, 0]).all()
    assert (image[10:25, :, :3] == 100).all()


def test_a_closed_path_comes_back(with_objects, slab):
    corners = [[5, 5, 5], [5, 5, 35], [5, 35, 35], [5, 35, 5]]
    for closed in (False, True):
        value = Lines(paths=(corners,), closed=closed, colors=RED, width=3)
        left = with_objects(slab, {"it": value}).image()[10:30, 5, 1]
        assert (left == (0 if closed else 100)).all()


def test_widths_are_world_units_or_pixels(with_objects, slab):
    for unit, rows in (("world", 12), ("px", 6)):
        value = Lines(
            paths=([[5, 20, 5], [5, 20, 35]],), colors=RED, width=6, width_unit=unit
        )
        image = with_objects(slab, {"it": value}, size=(80, 80)).image()
        assert (image[:, 40, 1] == 0).sum() == pytest.approx(rows, abs=1)


def test_lines_are_hidden_by_a_surface(with_objects, slab):
    value = Lines(paths=([[5, 10, 20], [35, 30, 20]],), colors=RED, width=3)
    column = with_objects(slab, {"it": value}, mode="iso").image()[:, 20]
    is_red = (column[:, 0] == 255) & (column[:, 1] == 0)
    # It meets the slab at z 19, a bit before half its way from y 10 to 30.
    assert is_red[11:18].all()
    assert not is_red[22:].any()


def test_normals_of_vertices_are_those_of_their_faces():
    roof = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [9, 9, 9]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.uint32)
    normals = vertex_normals(roof, faces)
    assert normals[1].tolist() == [0, 0, 1]
    assert normals[3].tolist() == [1, 0, 0]
    assert normals[0] == pytest.approx([2**-0.5, 0, 2**-0.5])
    assert np.linalg.norm(normals[4]) == 1, "without a face, any direction"


def test_light_of_colours_is_that_of_the_srgb_standard():
    light = as_light(np.array([[0, 0.5, 1, 0.3], [0.04, 0, 0, 1]], np.float32))
    assert light[0] == pytest.approx([0, 0.21404, 1, 0.3], abs=1e-4)
    assert light[1, 0] == pytest.approx(0.04 / 12.92)
