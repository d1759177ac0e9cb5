"""Cameras show the whole volume, upright and never mirrored."""

from itertools import product

import numpy as np
import pytest

from brickfield.camera.fit import fit_camera
from brickfield.camera.spec import camera_spec

SHAPE = (20, 30, 50)
VOXEL = np.array([2.0, 1.0, 0.5])
CORNERS = np.array(list(product(*((-0.5, n - 0.5) for n in SHAPE)))) * VOXEL


def project(camera, points):
    ranged = camera.with_depth_range(CORNERS)
    clip = np.c_[points, np.ones(len(points))] @ ranged.world_to_clip.T
    return clip[:, :3] / clip[:, 3:]


@pytest.mark.parametrize("spec", ["fit", "orbit:30,20", "orbit:-120,-80", "orbit:0,90"])
@pytest.mark.parametrize("size", [(300, 200), (100, 400)])
def test_the_whole_volume_is_in_the_picture(spec, size):
    camera = fit_camera(camera_spec(spec), CORNERS, size, SHAPE)
    ndc = project(camera, CORNERS)
    assert np.abs(ndc[:, :2]).max() <= 1.0
    # and it fills it: the farthest corner comes within a tenth of the edge
    assert np.abs(ndc[:, :2]).max() > 0.9


@pytest.mark.parametrize(
    ("axis", "rows", "columns"), [("z", 1, 2), ("y", 0, 2), ("x", 0, 1)]
)
def test_ortho_has_one_pixel_a_voxel_row_0_first(axis, rows, columns):
    size = (SHAPE[columns], SHAPE[rows])
    camera = fit_camera(camera_spec(f"ortho:{axis}"), CORNERS, size, SHAPE)
    voxel = np.array([3, 4, 5])
    ndc = project(camera, voxel[None] * VOXEL)[0]
    column = (ndc[0] + 1) / 2 * size[0] - 0.5
    row = (1 - ndc[1]) / 2 * size[1] - 0.5
    assert column == pytest.approx(voxel[columns])
    assert row == pytest.approx(voxel[rows])


def test_a_json_camera_from_small_z_sees_what_ortho_z_sees():
    centre = (CORNERS.min(axis=0) + CORNERS.max(axis=0)) / 2
    spec = camera_spec(
        {
            "position": [-100.0, centre[1], centre[2]],
            "target": list(centre),
            "up": [0, -1, 0],
            "orthographic": True,
        }
    )
    ndc = project(fit_camera(spec, CORNERS, (50, 30), SHAPE), CORNERS)
    other = project(
        fit_camera(camera_spec("ortho:z"), CORNERS, (50, 30), SHAPE), CORNERS
    )
    assert np.sign(ndc[:, :2]).tolist() == np.sign(other[:, :2]).tolist()


def test_zoom_two_shows_things_twice_as_large_in_the_middle():
    centre = (CORNERS.min(axis=0) + CORNERS.max(axis=0)) / 2
    near = centre + np.array([0.0, 1e-3, 0.0])
    one, two = (
        project(
            fit_camera(camera_spec(f"orbit:0,0,{zoom}"), CORNERS, (90, 90), SHAPE),
            near[None],
        )[0, 1]
        for zoom in (1, 2)
    )
    assert two / one == pytest.approx(2, rel=1e-3)


def test_a_flat_image_is_seen_from_the_front():
    corners = np.array(list(product((-0.5, 0.5), (-0.5, 9.5), (-0.5, 9.5))))
    camera = fit_camera(camera_spec("fit"), corners, (100, 100), (1, 10, 10))
    np.testing.assert_allclose(camera.forward, [1, 0, 0], atol=1e-12)
