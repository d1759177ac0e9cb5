"""Rays that run exactly along faces of voxels, bricks and the volume lose nothing."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.camera import preset, toggle_projection
from brickfield.model import AffineTransform, CameraState
from brickfield.model.appearance import color_lut

pytestmark = pytest.mark.gpu

MODES = ["mip", "minip", "average", "attenuated_mip", "iso", "translucent", "additive"]
# Even, so that the middle of the volume is a face; of a brick and of its octants, too.
SHAPE, CHUNK = (24, 32, 40), (12, 16, 20)
CORNERS = np.array(list(product(*((-0.5, n - 0.5) for n in SHAPE))))


@pytest.fixture(scope="module")
def scenes(harness):
    """Soft balls in a haze, cut into bricks, drawn in any mode."""
    data = (0.05 + 0.9 * harness.blobs(SHAPE, noise=0)).astype(np.float32)
    made = {}

    def scene(mode):
        if mode not in made:
            lut = color_lut((15, 25, 40) if mode == "additive" else (255, 220, 180))
            contrast = {"average": (0, 0.3), "minip": (0, 0.1)}.get(mode, (0, 0.9))
            look = harness.look_of(mode, contrast=contrast, threshold=0.3, lut=lut)
            made[mode] = harness.stage_of(data, look, chunk=CHUNK)
        return made[mode]

    yield scene
    for stage in made.values():
        stage.close()


@pytest.fixture(scope="module")
def differs(scenes, harness, raycaster):
    """Tell by how much a picture differs from numpy's: mean, and worst but for rims."""

    def compare(mode, camera):
        stage = scenes(mode)
        image = stage.image(camera)[..., :3].astype(float)
        camera = harness.with_range(camera, stage.pyramid, stage.world)
        data = stage.planes[0][0].astype(float)
        expected = raycaster.cast([data], camera, stage.look, stage.world)
        difference = np.abs(image - expected).max(axis=-1)
        # Whether a ray that grazes the volume meets a sample is a matter of rounding.
        rays = raycaster.rays_of(camera, AffineTransform(), SHAPE)
        difference[(rays.t1 - rays.t0 < 1).reshape(rays.shape)] = 0
        return difference.mean(), difference.max()

    return compare


def _camera(size, **options):
    return CameraState((0, 0, -100), (0, 0, 0), (-1, 0, 0), size, fov=35.0, **options)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["xy", "xz", "yz", "xz-back"])
def test_the_middle_of_a_picture_runs_along_faces(mode, name, differs):
    camera = preset(_camera((41, 31)), name, CORNERS)
    for seen in (camera, toggle_projection(camera)):
        mean, worst = differs(mode, seen)
        assert mean < 0.6
        assert worst <= 4


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_ray_runs_along_edges_of_voxels(mode, axis, differs, harness):
    # A pixel more than voxels: the outermost rays run along faces of the volume.
    camera = harness.along_axis(SHAPE, axis)
    w, h = camera.viewport
    camera = replace(camera, viewport=(w + 1, h + 1), height=h + 1.0)
    mean, worst = differs(mode, camera)
    assert mean < 0.6
    assert worst <= 4


small = st.sampled_from([0.0, 1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2])
sign = st.sampled_from([-1.0, 1.0])


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=12, deadline=None)
@given(
    face=st.tuples(st.integers(4, 27), st.integers(4, 35)),
    slope=st.tuples(small, small, sign, sign),
    reach=st.sampled_from([30.0, 100.0, 1234.5, 20000.0]),
    orthographic=st.booleans(),
)
def test_rays_that_leave_a_face_slowly_lose_nothing(
    mode, face, slope, reach, orthographic, differs
):
    y, x = face[0] - 0.5, face[1] - 0.5
    dy, dx = slope[0] * slope[2], slope[1] * slope[3]
    camera = CameraState(
        (-reach, y, x),
        (11.5, y + dy * (reach + 11.5), x + dx * (reach + 11.5)),
        (0.0, -1.0, 0.0),
        (7, 5),
        orthographic,
        fov=float(np.degrees(2 * np.arctan(8 / reach))),
        height=12.0,
    )
    _, worst = differs(mode, camera)
    assert worst <= 4


def test_a_label_fills_the_picture_to_the_faces_of_the_volume(harness, stages):
    data = np.full(SHAPE, 7, np.uint8)
    look = harness.look_of("iso", is_labels=True)
    stage = stages(data, look, chunk=CHUNK)
    for name in ("xy", "xz", "yz"):
        camera = preset(_camera((41, 31)), name, CORNERS)
        camera = replace(toggle_projection(camera), height=10.0)
        image = stage.image(camera)[..., :3]
        assert image.any(axis=-1).all()
