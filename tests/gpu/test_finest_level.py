"""A picture of a coarser level, for moving: as if the finer ones were not there."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.gpu.page_table import TARGET

pytestmark = pytest.mark.gpu


@pytest.fixture
def stage(harness, stages):
    """Noise of three levels, each of other values, in bricks of 16; nothing drawn."""
    rng = np.random.default_rng(0)
    arrays = [
        rng.integers(60 * i + 10, 60 * i + 60, (64 >> i,) * 3).astype(np.uint8)
        for i in range(3)
    ]
    pyramid = harness.pyramid_of([a.shape for a in arrays], np.uint8, (16, 16, 16))
    look = harness.look_of(contrast=(0, 255))
    return stages.keep(harness.Stage(pyramid, [arrays], look))


def _names(harness, stage, *levels):
    return [n for i in levels for n in harness.all_names(stage.pyramid, i)]


@pytest.mark.parametrize("mode", ["mip", "average", "translucent", "iso"])
@pytest.mark.parametrize("level", [1, 2])
def test_it_is_the_picture_of_that_level_alone(harness, stage, mode, level):
    camera = harness.oblique((64, 64, 64))
    look = harness.look_of(mode, contrast=(0, 255), threshold=30)
    stage.put(_names(harness, stage, level))
    alone = stage.image(camera, look)
    # Not as leaves, or the finer ones would be taken out of the picture.
    stage.put(_names(harness, stage, 2, 1, 0), is_target=False)
    np.testing.assert_array_equal(stage.image(camera, look, finest_level=level), alone)
    assert (stage.image(camera, look) != alone).any()


def test_where_nothing_coarse_is_drawn_the_finer_is_shown(harness, stage):
    camera = harness.along_axis((64, 64, 64))
    fine, coarse = _names(harness, stage, 0), _names(harness, stage, 1)
    stage.put(fine, is_target=False)
    finest = stage.image(camera)
    np.testing.assert_array_equal(stage.image(camera, finest_level=1), finest)
    stage.put([*fine, *coarse[::3]], is_target=False)
    shown = stage.image(camera, finest_level=1)[..., 0]
    assert shown.min() >= 40, "no place is blank"
    assert (shown != finest[..., 0]).any()


def test_an_audit_judges_the_finest_level_whatever_is_shown(harness, stage):
    camera = harness.oblique((64, 64, 64))
    stage.put(_names(harness, stage, 0), is_target=True)
    for name in _names(harness, stage, 1):
        stage.bricks.accept(name, stage.chunk(name))
    audit = stage.image(camera, audit=True, background=None, finest_level=1)
    judged = set(np.unique(audit[..., 0]).tolist())
    assert judged <= {0, 1}
    assert all(
        stage.bricks.table.value_of(n) & TARGET for n in _names(harness, stage, 0)
    )
