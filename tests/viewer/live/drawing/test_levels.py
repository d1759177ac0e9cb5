"""While somebody comes closer or goes on in time, nothing goes blank or coarser."""

from __future__ import annotations

from time import sleep

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from brickfield.camera import navigation
from brickfield.gpu import FAILED
from brickfield.model import unpack_keys
from brickfield.store import ChunkedImageStore
from brickfield.testing import MemorySource
from brickfield.viewer.live.drawing.frame_budget import Painter

CHUNK, N_CELLS = 16, 8
BLANK = 9


class SlowSource(MemorySource):
    """Chunks that come one by one."""

    def read_storage_chunk(self, level, index):
        sleep(0.002)
        return super().read_storage_chunk(level, index)


def pyramid(value: int) -> list[np.ndarray]:
    """Three levels of one value: 128, 64 and 32 voxels along each axis."""
    return [np.full((n,) * 3, value, np.uint8) for n in (128, 64, 32)]


def finest_levels(renderer) -> np.ndarray:
    """The finest level drawn in each cell of 16 voxels, shape (8, 8, 8)."""
    found = np.full((N_CELLS,) * 3, BLANK)
    plane = renderer.bricks.atlas.plane_of(renderer.shown[0])
    for p, key in renderer.bricks.table.active:
        if p == plane and not renderer.bricks.table.value_of((p, key)) & FAILED:
            level, index = unpack_keys(np.int64(key))
            n = 1 << int(level)
            box = tuple(slice(i * n, (i + 1) * n) for i in index.tolist())
            found[box] = np.minimum(found[box], level)
    return found


def seen_cells(camera) -> np.ndarray:
    """Which cells have their middle in the picture, shape (8, 8, 8)."""
    grid = np.indices((N_CELLS,) * 3).reshape(3, -1).T
    middle = (grid + 0.5) * CHUNK - 0.5
    clip = np.column_stack([middle, np.ones(len(middle))]) @ camera.world_to_clip.T
    is_in = (np.abs(clip[:, :2]) < clip[:, 3:]).all(axis=1) & (clip[:, 3] > 0)
    return is_in.reshape((N_CELLS,) * 3)


@pytest.fixture
def pictures(monkeypatch):
    """Camera, effort, levels and picture of all that is drawn, in order."""
    found, shown = [], Painter._shown

    def noted(self, view, image, effort, ms):
        (renderer,) = view.manager.renderers
        found.append((view.camera, effort, finest_levels(renderer), image))
        return shown(self, view, image, effort, ms)

    monkeypatch.setattr(Painter, "_shown", noted)
    return found


@pytest.fixture
def slow_layer(memory_scene):
    """Show a slow series of three time points; return its source."""
    levels = [np.stack(a) for a in zip(*map(pyramid, (100, 150, 200)), strict=True)]
    source = SlowSource(
        levels, (1, *(CHUNK,) * 3), axes="tzyx", chunk=(CHUNK,) * 3, concurrency=2
    )
    port = memory_scene.add(ChunkedImageStore(source))
    port.contrast = (0, 255)
    return source


def settle(view, turns):
    assert turns.run_until(lambda: view.is_settled), view.report


@pytest.mark.parametrize("is_moving", [False, True], ids=["at once", "by hand"])
def test_zooming_in_makes_nothing_blank_or_coarser(
    make_live, memory_scene, turns, slow_layer, pictures, is_moving
):
    view = make_live()
    # Enough for all of it, but not for the finest level as the overview.
    view.gpu_budget = 12 << 20
    settle(view, turns)
    before = pictures[-1][2]
    assert before.min() > 0, "the finest level is not needed yet"
    pictures.clear()
    for _ in range(4):
        closer = navigation.zoom(view.camera, 1.4)
        view.move_to(closer, is_moving=is_moving)
        turns.run_until(lambda: False, 0.05)
    settle(view, turns)
    assert len(pictures) > 2
    for camera, _, levels, image in pictures:
        seen = seen_cells(camera)
        assert seen.any()
        assert (levels[seen] <= before[seen]).all()
        before = np.where(seen, levels, before)
        h, w = image.shape[:2]
        assert (image[h // 4 : -h // 4, w // 4 : -w // 4, 0] >= 100).all()
    assert (before[seen_cells(view.camera)] == 0).all()
    efforts = [effort for _, effort, _, _ in pictures]
    assert efforts[-1].is_final


def test_another_time_point_takes_the_place_of_the_old_one_when_it_is_as_fine(
    make_live, memory_scene, turns, slow_layer, pictures
):
    view = make_live()
    settle(view, turns)
    _, _, levels, image = pictures[-1]
    # At the rim rays are too short for a sample of every effort.
    inside = binary_erosion(image[..., 0] == 100, iterations=2)
    assert inside.sum() > 500
    pictures.clear()
    memory_scene.move_slider(0, 1)
    turns.run_until(lambda: False, 0.05)
    memory_scene.move_slider(0, 2)
    settle(view, turns)
    for _, effort, now, picture in pictures:
        assert (now <= levels).all()
        if effort.scale == 1:
            values = set(np.unique(picture[inside, 0]))
            assert values in ({100}, {150}, {200}), "no blank and no mixture"
    assert set(np.unique(pictures[-1][3][inside, 0])) == {200}
