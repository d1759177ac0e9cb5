"""Edges of the box lie where numpy projects the corners."""

import numpy as np
import pytest

from brickfield.loading import default_cache
from brickfield.model import AffineTransform, CameraState, Plane
from brickfield.model.appearance import Appearance, ChannelAppearance
from brickfield.rendering.overlays.bounding_box import (
    EDGES,
    FACES,
    cut_edges,
    near_edges,
)
from brickfield.rendering.overlays.projection import project_points
from brickfield.rendering.volume_view import world_corners
from brickfield.store import open_store

SURFACE = Appearance(
    mode="iso",
    channels=(ChannelAppearance(contrast=(0.0, 255.0), iso_threshold=150.0),),
)
CUBE = np.array([[z, y, x] for z in (0, 2) for y in (0, 2) for x in (0, 2)], float)


def places(view, points) -> np.ndarray:
    """Row and column of world points."""
    h, w = view.image().shape[:2]
    at = project_points(points, view.camera, (w, h))
    return np.rint(np.column_stack([h - at[:, 1], at[:, 0]]) - 0.5).astype(int)


def brightest_near(image, row, column) -> int:
    return int(image[row - 1 : row + 2, column - 1 : column + 2, 1].max())


def test_a_box_has_twelve_edges_and_six_faces():
    lengths = np.linalg.norm(CUBE[EDGES[:, 0]] - CUBE[EDGES[:, 1]], axis=1)
    assert lengths.tolist() == [2.0] * 12
    assert len({tuple(e) for e in EDGES}) == 12
    assert np.ptp(CUBE[FACES], axis=1).tolist() == [
        [0, 2, 2], [0, 2, 2], [2, 0, 2], [2, 0, 2], [2, 2, 0], [2, 2, 0],
    ]  # fmt: skip


def test_edges_of_faces_turned_to_the_eye_are_near():
    from_z = CameraState((-9, 1, 1), (1, 1, 1), (0, -1, 0), (10, 10), orthographic=True)
    at_low_z = (CUBE[EDGES][..., 0] == 0).all(axis=1)
    assert (near_edges(CUBE, from_z) == at_low_z).all()
    corner = CameraState((-9, -9, -9), (1, 1, 1), (0, -1, 0), (10, 10))
    touches_far_corner = (CUBE[EDGES] == 2).all(axis=2).any(axis=1)
    assert (near_edges(CUBE, corner) == ~touches_far_corner).all()
    inside = CameraState((1, 1, 1), (2, 1, 1), (0, -1, 0), (10, 10))
    assert not near_edges(CUBE, inside).any()


def test_a_sheared_box_is_judged_by_the_directions_of_its_faces():
    shear = np.eye(4)
    shear[2, 0] = 3.0
    sheared = AffineTransform.from_matrix(shear).apply(CUBE)
    from_z = CameraState((-9, 1, 4), (1, 1, 4), (0, -1, 0), (10, 10), orthographic=True)
    # From here the low-z face and the high-x side, which leans over, are seen.
    seen = near_edges(sheared, from_z)
    names = {tuple(e) for e in EDGES[seen]}
    assert {(0, 1), (0, 2), (1, 3), (2, 3)} <= names, "around the face at low z"
    assert (4, 6) in names or (5, 7) in names


@pytest.mark.parametrize("angle", [0.0, 35.0])
def test_every_edge_is_seen_where_numpy_projects_it(dark, seen, angle):
    turn = np.eye(4)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turn[1:3, 1:3] = [[c, -s], [s, c]]
    view = seen(dark, (200, 160), camera="orbit:30,25,0.7")
    (layer,) = view.layers
    layer.world = AffineTransform.from_matrix(turn) @ layer.world
    view.wait_until_complete(30)
    view.overlays.set_options("bounding_box", visible=True)
    image = view.image()
    corners = world_corners(layer)
    middles = corners[EDGES].mean(axis=1)
    for row, column in places(view, middles):
        assert brightest_near(image, row, column) > 120


def test_pixels_beside_the_edges_stay_as_they_were(seen, store, changed):
    view = seen(store, (160, 120), camera="orbit:30,25,0.8")
    view.overlays.set_options("bounding_box", visible=True)
    rows, columns = np.nonzero(changed(view))
    corners = world_corners(view.layers[0])
    t = np.linspace(0, 1, 150)[:, None, None]
    along = corners[EDGES[:, 0]] * (1 - t) + corners[EDGES[:, 1]] * t
    at = project_points(along.reshape(-1, 3), view.camera, (160, 120))
    pixels = np.column_stack([columns + 0.5, 120 - rows - 0.5])
    gaps = np.linalg.norm(pixels[:, None] - at[None, :, :2], axis=2).min(axis=1)
    assert gaps.max() < 4


def test_a_surface_hides_the_edges_behind_it_and_no_others(seen):
    data = np.zeros((40, 40, 40), np.uint8)
    data[20, :20, :] = 200
    default_cache().clear()
    with open_store(data) as store:
        view = seen(store, (120, 120), camera="orbit:0,0,0.7", look=SURFACE)
        free = view.image()
        view.overlays.set_options("bounding_box", visible=True)
        image = view.image()
        corners = world_corners(view.layers[0])
        edges = corners[EDGES]
        far = (edges[..., 0] > 20).all(axis=1)
        behind = far & (edges[..., 1] < 20).all(axis=1)
        beside = far & (edges[..., 1] > 20).all(axis=1)
        assert behind.sum() == beside.sum() == 1
        ((row, column),) = places(view, edges[behind].mean(axis=1))
        assert (image[row, column] == free[row, column]).all()
        assert free[row, column, 0] > 50, "the slab is there"
        ((row, column),) = places(view, edges[beside].mean(axis=1))
        assert brightest_near(image, row, column) > 200


def test_in_projections_far_edges_shine_through_as_told(dark, seen):
    view = seen(dark, (120, 120), camera="orbit:0,0,0.7")
    edges = world_corners(view.layers[0])[EDGES]
    far = (edges[..., 0] > 50).all(axis=1) & (edges[..., 1] > 50).all(axis=1)
    ((row, column),) = places(view, edges[far].mean(axis=1))
    seen_by_opacity = []
    for opacity in (0.0, 0.4, 1.0):
        view.overlays.set_options("bounding_box", visible=True, hidden_opacity=opacity)
        seen_by_opacity.append(brightest_near(view.image(), row, column))
    assert seen_by_opacity[0] == 0
    assert 0 < seen_by_opacity[1] < seen_by_opacity[2]


@pytest.mark.parametrize(
    ("plane", "outline"),
    [
        (Plane.across(0, 1.0), 4),
        (Plane((1, 1, 1), (1, 1, 1)), 6),
        (Plane.across(0, 5.0), 0),
        (Plane.across(1, 2.0), 4),
    ],
)
def test_a_plane_cuts_a_box_in_a_closed_outline(plane, outline):
    segments = cut_edges(CUBE, plane)
    assert len(segments) == outline
    assert np.abs(plane.distance(segments)).max(initial=0) < 1e-12
    ends = [tuple(p) for p in np.round(segments.reshape(-1, 3), 9)]
    assert all(ends.count(p) == 2 for p in ends)


def test_a_slice_view_shows_the_outline(dark, seen):
    view = seen(dark, (120, 120), camera="ortho:z")
    view.plane = Plane.across(0, 20.0)
    view.camera = CameraState(
        (-100, 49, 49), (20, 49, 49), (0, -1, 0), (120, 120), orthographic=True,
        height=120,
    )  # fmt: skip
    view.wait_until_complete(30)
    view.overlays.set_options("bounding_box", visible=True)
    image = view.image()
    # The data reach from -1 to 99: ten pixels from every edge of the picture.
    assert (image[20:100, 9:11, 0].max(axis=1) > 200).all()
    assert (image[109:111, 20:100, 0].max(axis=0) > 200).all()
    assert not image[30:90, 30:90, :3].any()
