"""What is drawn, when, and what it costs to say so."""

from dataclasses import replace

import numpy as np
import pytest

from brickfield.gpu import Wanted, codes_of
from brickfield.gpu.page_table import CONSTANT, FAILED, NONFINITE, TARGET
from brickfield.model.requests import ChunkState, LoadedChunk
from brickfield.testing.textures import LivingTextures, slot_texels

pytestmark = pytest.mark.gpu


@pytest.fixture
def scene(harness, stages):
    """Makes a stage of noise in bricks of 16, two levels, nothing drawn yet."""

    def make(shape=(48, 48, 48), dtype=np.uint8, **options):
        rng = np.random.default_rng(0)
        arrays = [
            rng.integers(0, 200, tuple(n >> i for n in shape)).astype(dtype)
            for i in range(2)
        ]
        pyramid = harness.pyramid_of([a.shape for a in arrays], dtype, (16, 16, 16))
        look = harness.look_of(contrast=(0, 255))
        return stages.keep(harness.Stage(pyramid, [arrays], look, **options))

    return make


def _padded(stage, name):
    """The texels of a chunk's slot."""
    return slot_texels(stage.gpu.device, stage.bricks, name)


def test_arriving_in_any_order_ends_in_the_same_borders(scene, harness):
    stage = scene()
    names = harness.all_names(stage.pyramid)
    array = stage.planes[0][0]
    known = {}
    # Nothing is in the RAM cache before it arrives.
    stage.bricks._peek = known.get
    stage.bricks.want(dict.fromkeys(names, True))
    for i in np.random.default_rng(5).permutation(len(names)):
        known[names[i]] = stage.chunk(names[i])
        stage.bricks.accept(names[i], known[names[i]])
    assert stage.bricks.has_repairs
    while stage.bricks.has_repairs:
        stage.bricks.repair_borders(lambda: True)
    whole = np.pad(array, 1, mode="edge")
    for name in names:
        z, y, x = (int(n) for n in np.array(_index(name)) * 16)
        expected = whole[z : z + 18, y : y + 18, x : x + 18]
        np.testing.assert_array_equal(_padded(stage, name), expected)


def _index(name):
    key = name[1]
    return [(key >> shift) & ((1 << 19) - 1) for shift in (38, 19, 0)]


def _offered(stage, harness, seed=5):
    """Let all chunks of level 0 come one by one; return how many bricks were sent."""
    names = harness.all_names(stage.pyramid)
    known, sent = {}, []
    write = stage.bricks.atlas.write
    stage.bricks.atlas.write = lambda name, texels: (
        sent.append(name),
        write(name, texels),
    )
    stage.bricks._peek = known.get
    stage.bricks.want(dict.fromkeys(names, True))
    for i in np.random.default_rng(seed).permutation(len(names)):
        known[names[i]] = stage.chunk(names[i])
        stage.bricks.offer(names[i], known[names[i]], at_once=False)
        stage.bricks.repair_borders(lambda: True)
    while stage.bricks.has_repairs:
        stage.bricks.repair_borders(lambda: True)
    assert not stage.bricks.missing
    return len(sent)


def _has_right_borders(stage, harness):
    whole = np.pad(stage.planes[0][0], 1, mode="edge")
    for name in harness.all_names(stage.pyramid):
        z, y, x = (int(n) for n in np.array(_index(name)) * 16)
        expected = whole[z : z + 18, y : y + 18, x : x + 18]
        np.testing.assert_array_equal(_padded(stage, name), expected)


def test_a_brick_that_waits_for_its_neighbours_is_sent_once(
    scene, harness, monkeypatch
):
    monkeypatch.setattr("brickfield.gpu.brick_texels.HOLD_S", 1e9)
    monkeypatch.setattr("brickfield.gpu.brick_texels.PAUSE_S", 1e9)
    stage = scene()
    assert _offered(stage, harness) == 27
    _has_right_borders(stage, harness)


def test_a_brick_that_has_waited_long_enough_is_drawn_and_repaired_later(
    scene, harness, monkeypatch
):
    monkeypatch.setattr("brickfield.gpu.brick_texels.HOLD_S", 0.0)
    stage = scene()
    assert _offered(stage, harness) > 27
    _has_right_borders(stage, harness)


def test_what_is_held_goes_with_the_plan_that_named_it(scene, harness, monkeypatch):
    monkeypatch.setattr("brickfield.gpu.brick_texels.HOLD_S", 1e9)
    monkeypatch.setattr("brickfield.gpu.brick_texels.PAUSE_S", 1e9)
    stage = scene()
    names = harness.all_names(stage.pyramid)
    stage.bricks._peek = {}.get
    stage.bricks.want(dict.fromkeys(names, True))
    assert not stage.bricks.offer(names[0], stage.chunk(names[0]), at_once=False)
    assert names[0] in stage.bricks.missing
    assert stage.bricks.held_until < float("inf")
    stage.bricks.want({})
    assert stage.bricks.held_until == float("inf")


def test_repairs_stop_when_the_time_is_over(scene, harness):
    stage = scene()
    names = harness.all_names(stage.pyramid)
    known = {}
    stage.bricks._peek = known.get
    stage.bricks.want(dict.fromkeys(names, True))
    for name in names:
        known[name] = stage.chunk(name)
        stage.bricks.accept(name, known[name])
    assert stage.bricks.repair_borders(lambda: False) == 0
    turns = iter([True, True, False])
    assert stage.bricks.repair_borders(lambda: next(turns)) == 2
    assert stage.bricks.has_repairs


def test_a_brick_writes_at_most_a_kilobyte_of_page_table(scene, harness):
    stage = scene((160, 160, 160))
    level1 = harness.all_names(stage.pyramid, 1)
    level0 = harness.all_names(stage.pyramid, 0)
    stage.put(level1)
    stage.bricks.flush()
    stage.bricks.want(dict.fromkeys([*level1, *level0], True))
    for i, name in enumerate(level0):
        stage.bricks.accept(name, stage.chunk(name))
        if i % 8 == 0:
            stage.bricks.flush()
    stage.bricks.flush()
    assert stage.bricks.n_committed == len(level0) + len(level1)
    assert 16 <= stage.bricks.page_bytes_per_brick <= 1024


def test_the_bytes_of_a_voxel_are_those_of_the_file_and_a_tenth(harness, stages):
    for dtype in (np.uint8, np.int16, np.float32):
        data = np.zeros((128, 128, 128), dtype)
        data[0, 0, 0] = 1
        stage = stages(data, chunk=(64, 64, 64))
        texture = stage.bricks.atlas.texture(0)
        slot = stage.bricks.atlas.gpu_bytes / texture.capacity
        assert slot / (64**3 * data.itemsize) <= 1.10
        assert stage.bricks.atlas.upload_bytes / data.nbytes <= 1.10


def test_only_missing_chunks_are_missing(scene, harness):
    stage = scene()
    names = harness.all_names(stage.pyramid)
    stage.bricks.want(dict.fromkeys(names, True))
    assert set(stage.bricks.missing) == set(names)
    stage.bricks.accept(names[0], stage.chunk(names[0]))
    stage.bricks.accept(names[1], LoadedChunk(names[1][1], (), ChunkState.FAILED))
    empty = LoadedChunk(names[2][1], (), ChunkState.MISSING, None, 0.0, 0.0)
    stage.bricks.accept(names[2], empty)
    assert set(stage.bricks.missing) == set(names[3:])
    assert stage.bricks.table.value_of(names[1]) & FAILED
    assert stage.bricks.table.value_of(names[2]) & CONSTANT


def test_wanting_again_uploads_nothing(scene, harness):
    stage = scene()
    names = harness.all_names(stage.pyramid)
    stage.put(names)
    before = stage.bricks.atlas.upload_bytes
    stage.put(names[:4])
    stage.put(names)
    assert stage.bricks.atlas.upload_bytes == before
    assert set(names) <= set(stage.bricks.table.active)


def test_the_target_follows_the_plan(scene, harness):
    stage = scene()
    names = harness.all_names(stage.pyramid)
    stage.put(names)
    value = stage.bricks.table.value_of
    assert all(value(n) & TARGET for n in names)
    stage.bricks.want(dict.fromkeys(names, False))
    assert not any(value(n) & TARGET for n in names)


def test_what_is_finer_than_the_plan_is_drawn_until_the_plan_is(scene, harness):
    stage = scene()
    level0 = harness.all_names(stage.pyramid, 0)
    level1 = harness.all_names(stage.pyramid, 1)
    stage.put(level0)
    stage.bricks.want(dict.fromkeys(level1, True))
    stage.bricks.retire()
    assert set(level0) <= set(stage.bricks.table.active)
    for name in level1:
        stage.bricks.accept(name, stage.chunk(name))
    stage.bricks.retire()
    assert set(stage.bricks.table.active) == set(level1)
    # They wait in reserve: the way back costs no upload.
    before = stage.bricks.atlas.upload_bytes
    stage.put(level0)
    assert stage.bricks.atlas.upload_bytes == before


def test_an_evicted_chunk_is_no_longer_drawn(scene, harness):
    stage = scene(budget=30 * 18**3)
    names = harness.all_names(stage.pyramid)[:27]
    stage.put(names)
    stage.bricks.want(dict.fromkeys(names[:20], True))
    first = (0, names[0][1])
    others = [(1, n[1]) for n in names[:10]]
    stage.planes = [stage.planes[0], stage.planes[0]]
    stage.put([*names[:20], *others])
    atlas, table = stage.bricks.atlas, stage.bricks.table
    assert first in atlas
    assert all(n in atlas for n in table.active)
    assert set(others) <= set(table.active)
    assert atlas.gpu_bytes <= atlas.budget_bytes


def test_forgetting_everything_keeps_the_textures(scene, harness):
    stage = scene()
    stage.put(harness.all_names(stage.pyramid))
    stage.image(harness.along_axis((48, 48, 48)))
    texture = stage.bricks.atlas.texture(0)
    stage.bricks.forget_all()
    assert stage.bricks.atlas.texture(0) is texture
    assert not stage.bricks.table.active
    assert stage.bricks.atlas.resident() == []
    image = stage.image(harness.along_axis((48, 48, 48)))
    assert not image[..., :3].any()
    stage.put(harness.all_names(stage.pyramid))
    assert stage.image(harness.along_axis((48, 48, 48)))[..., 0].min() > 0


def test_what_is_drawn_stays_drawn_when_its_texture_has_to_be_replaced(scene, harness):
    stage = scene(budget=40 * 18**3)
    names = harness.all_names(stage.pyramid)
    camera = harness.along_axis((48, 48, 48))
    with LivingTextures(stage.gpu.device) as living:
        before = stage.put(names[:9]).image(camera)
        texture = stage.bricks.atlas.texture(0)
        stage.bricks.make_room([38, 0])
        np.testing.assert_array_equal(stage.image(camera), before)
        assert living.n_made == 2
        assert living.peak_bytes <= 40 * 18**3
    assert stage.bricks.atlas.texture(0) is not texture
    assert stage.bricks.table.active >= set(names[:9])
    assert not stage.bricks.missing


def test_destroying_gives_the_memory_back(scene, harness):
    stage = scene()
    stage.put(harness.all_names(stage.pyramid))
    stage.bricks.destroy()
    assert stage.bricks.atlas.gpu_bytes == 0


def test_chunks_with_what_is_no_number_are_marked(scene, harness):
    stage = scene(dtype=np.float32)
    stage.planes[0][0][5, 5, 5] = np.nan
    names = harness.all_names(stage.pyramid)
    stage.put(names)
    marked = [n for n in names if stage.bricks.table.value_of(n) & NONFINITE]
    assert marked == [names[0]]


def test_planned_empties_take_no_slot(scene, harness):
    stage = scene()
    first, *rest = stage.bricks.pyramid.levels
    filled = replace(first, fill_value=128)
    stage.bricks.pyramid = replace(stage.bricks.pyramid, levels=(filled, *rest))
    names = harness.all_names(stage.pyramid)
    keys = np.array([key for _, key in names])
    none = keys[:0]
    stage.bricks.want(Wanted({0: codes_of(none, none > 0, keys)}))
    image = stage.image(harness.along_axis((48, 48, 48)))
    assert (image[..., 0] == 128).all()
    assert stage.bricks.atlas.gpu_bytes == 0


def test_rays_tell_which_chunks_they_reached(harness, stages):
    data = np.zeros((64, 32, 32), np.uint8)
    data[20:] = 200
    look = harness.look_of("iso", contrast=(0, 200), threshold=100)
    stage = stages(data, look, chunk=(16, 16, 16))
    stage.image(harness.along_axis(data.shape))
    reached = stage.bricks.take_reached()
    # The surface lies in the second layer of bricks and hides what is behind.
    assert sorted({_index(n)[0] for n in reached}) == [0, 1]
    assert len(reached) == 8


def test_of_a_plan_that_names_almost_the_same_only_the_difference_is_looked_at(
    scene, harness, monkeypatch
):
    stage = scene()
    names = harness.all_names(stage.pyramid)
    stage.put(names)
    stage.bricks.retire()
    looked_at = []
    monkeypatch.setattr(
        stage.bricks.atlas,
        "are_resident",
        lambda plane, keys: looked_at.extend((plane, k) for k in keys) or keys > 0,
    )
    rows = []
    monkeypatch.setattr(stage.bricks.table, "set", lambda *row: rows.append(row))
    stage.bricks.want(dict.fromkeys(names, True))
    stage.bricks.retire()
    assert looked_at == rows == []
    stage.bricks.want(dict.fromkeys(names, True) | {names[3]: False})
    assert looked_at == [names[3]]
    assert len(rows) == 1
