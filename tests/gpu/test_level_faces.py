"""A level is drawn to its own outer faces, whatever the box of level 0 is.

A coarse level alone must look as if it were a volume by itself: the plain numpy ray
caster knows of no other level.
"""

from dataclasses import replace

import numpy as np
import pytest

from brickfield.model import AffineTransform

pytestmark = pytest.mark.gpu

MODES = ["mip", "minip", "average", "attenuated_mip", "iso", "translucent", "additive"]
SHAPE, COARSE = (25, 33, 41), (7, 9, 11)
"""Level 1 joins 4³ voxels; its last ones end 3 voxels beyond level 0."""
FACTOR = 4.0


def _array(harness):
    """Balls, and matter that is brightest at the outermost voxels."""
    data = 0.1 + 0.5 * harness.blobs(COARSE, noise=0)
    for axis in range(3):
        np.moveaxis(data, axis, 0)[-1] = 0.9
    return data.astype(np.float32)


def _level_one(harness, look, data, *, at=1.5, chunk=(4, 4, 4)):
    """A stage on which level 1 is drawn; level 0 is never read."""
    pyramid = harness.pyramid_of(
        [SHAPE, COARSE],
        data.dtype,
        [(32, 32, 32), chunk],
        [(1.0,) * 3, (FACTOR,) * 3],
        [(0.0,) * 3, (at,) * 3],
    )
    stage = harness.Stage(pyramid, [[None, data]], look)
    return stage.put(harness.all_names(pyramid, 1))


def _world(at=1.5):
    """Places of level 1's voxels."""
    matrix = np.diag([FACTOR] * 3 + [1.0])
    matrix[:3, 3] = at
    return AffineTransform.from_matrix(matrix)


@pytest.fixture(scope="module")
def cameras(harness):
    """Along every axis from both sides, and askew."""
    shape = tuple(int(n * FACTOR) for n in COARSE)
    found = [harness.oblique(shape, (48, 40), turn=turn) for turn in (0, 3)]
    for axis in range(3):
        one = replace(harness.along_axis(shape, axis), viewport=(33, 29))
        away = 2 * np.array(one.target) - np.array(one.position)
        found += [one, replace(one, position=tuple(away))]
    return found


@pytest.mark.parametrize("mode", MODES)
def test_a_coarse_level_is_drawn_as_if_it_were_alone(mode, harness, raycaster, cameras):
    contrast = {"average": (0, 0.6), "minip": (0, 0.3)}.get(mode, (0, 1.0))
    look = harness.look_of(mode, contrast=contrast, threshold=0.7)
    data = _array(harness)
    stage, world = _level_one(harness, look, data), _world()
    try:
        for camera in cameras:
            image = stage.image(camera)[..., :3].astype(float)
            seen = harness.with_range(camera, stage.pyramid, stage.world)
            expected = raycaster.cast([data], seen, look, world, unit=1.0)
            difference = np.abs(image - expected).max(axis=-1)
            rays = raycaster.rays_of(seen, world, COARSE)
            # Whether a ray that grazes a face meets a sample is a matter of rounding.
            difference[(rays.t1 - rays.t0 < 1).reshape(rays.shape)] = 0
            assert difference.mean() < 1
            # A surface may bend where a ray meets it, within rounding.
            assert np.count_nonzero(difference > 4) <= 1
    finally:
        stage.close()


@pytest.mark.parametrize("at", [-9.0, 0.0, 9.0, 40.0])
@pytest.mark.parametrize("mode", ["mip", "average"])
def test_a_translated_level_lies_where_the_file_says(
    mode, at, harness, raycaster, stages
):
    """No voxel is repeated beyond its faces, and none is lost beyond level 0's."""
    look = harness.look_of(mode, contrast=(0, 1.0))
    data = _array(harness)
    stage = stages.keep(_level_one(harness, look, data, at=at))
    for camera in (harness.along_axis((70, 70, 70), 0), harness.oblique((60, 60, 60))):
        image = stage.image(camera)[..., :3].astype(float)
        seen = harness.with_range(camera, stage.pyramid, stage.world)
        expected = raycaster.cast([data], seen, look, _world(at), unit=1.0)
        difference = np.abs(image - expected).max(axis=-1)
        rays = raycaster.rays_of(seen, _world(at), COARSE)
        difference[(np.abs(rays.t1 - rays.t0) < 1).reshape(rays.shape)] = 0
        # A sample may lie on a face, within rounding.
        assert (difference > 1).mean() < 1e-3


@pytest.mark.parametrize("mode", ["mip", "minip", "average"])
def test_beside_a_finer_level_nothing_of_a_coarser_one_is_drawn(mode, harness, stages):
    """Level 0 is exact although level 1 reaches further out and is there, too."""
    rng = np.random.default_rng(0)
    fine = rng.integers(50, 200, SHAPE, dtype=np.uint8)
    value = 255 if mode == "mip" else 0
    coarse = np.full(COARSE, value, np.uint8)
    look = harness.look_of(mode, contrast=(0, 255))
    pyramid = harness.pyramid_of(
        [SHAPE, COARSE],
        np.uint8,
        [(16, 16, 16), (4, 4, 4)],
        [(1.0,) * 3, (FACTOR,) * 3],
        [(0.0,) * 3, (1.5,) * 3],
    )
    stage = stages.keep(harness.Stage(pyramid, [[fine, coarse]], look))
    stage.put([*harness.all_names(pyramid, 1), *harness.all_names(pyramid, 0)])
    reduce = {"mip": np.max, "minip": np.min, "average": np.mean}[mode]
    for axis in range(3):
        image = stage.image(harness.along_axis(SHAPE, axis))[..., 0]
        expected = np.round(reduce(fine.astype(float), axis=axis))
        assert np.abs(image - expected).max() <= (mode == "average")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_last_label_of_a_coarse_level_is_seen_from_behind(axis, harness, stages):
    data = np.zeros(COARSE, np.uint8)
    np.moveaxis(data, axis, 0)[-1] = 7
    look = harness.look_of("iso", is_labels=True)
    stage = stages.keep(_level_one(harness, look, data))
    camera = harness.along_axis(SHAPE, axis)
    away = 2 * np.array(camera.target) - np.array(camera.position)
    for one in (camera, replace(camera, position=tuple(away))):
        assert stage.image(one)[..., :3].any(axis=-1).all()


@pytest.mark.parametrize("mode", [*MODES, "labels"])
def test_skipping_changes_nothing_at_the_faces_of_a_level(mode, harness, stages):
    rng = np.random.default_rng(1)
    data = rng.integers(1, 255, COARSE, dtype=np.uint8)
    data[rng.random(COARSE) < 0.7] = 0
    is_labels = mode == "labels"
    name = "iso" if is_labels else mode
    contrast, threshold = (0, 255), 100
    look = harness.look_of(
        name, contrast=contrast, threshold=threshold, is_labels=is_labels
    )
    stage = stages.keep(_level_one(harness, look, data))
    camera = harness.oblique((28, 36, 44), (40, 32), turn=2.5)
    with_skipping = stage.image(camera)
    np.testing.assert_array_equal(with_skipping, stage.image(camera, skip=False))
    assert with_skipping[..., :3].any()


def test_a_clip_plane_cuts_what_lies_beyond_level_0(harness, stages):
    look = harness.look_of("mip", contrast=(0, 255))
    data = np.full(COARSE, 10, np.uint8)
    data[-1] = 200
    camera = harness.along_axis(SHAPE, 0)
    stage = stages.keep(_level_one(harness, look, data))
    assert (stage.image(camera)[..., 0] == 200).all()
    # Keeps z below 22: the centres of the last voxels lie at 25.5.
    cut = replace(look, clip_planes=((-1.0, 0.0, 0.0, 22.0),))
    assert (stage.image(camera, cut)[..., 0] == 10).all()
