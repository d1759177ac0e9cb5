"""Borders are whole on the GPU, whatever has left memory."""

import numpy as np
import pytest

from brickfield.gpu.page_table import NONFINITE
from brickfield.gpu.texels.padding import fill_slot, pad_brick
from brickfield.model import unpack_keys
from brickfield.testing.textures import slot_texels

pytestmark = pytest.mark.gpu
KINDS = ["u1", "i2", "u2", "f4", "f2", "f8", "labels"]


@pytest.fixture
def scene(harness, stages):
    """Makes a stage of noise in bricks of 16, cut at the far ends, nothing drawn yet."""

    def make(kind="u1", shape=(40, 43, 48), **options):
        rng = np.random.default_rng(0)
        dtype = np.dtype("u4" if kind == "labels" else kind)
        data = rng.integers(0, 200, shape).astype(dtype)
        if dtype.kind == "f":
            data[rng.random(shape) > 0.999] = np.nan
        pyramid = harness.pyramid_of([shape], dtype, (16, 16, 16))
        mode = "iso" if kind == "labels" else "mip"
        look = harness.look_of(
            mode, contrast=(0, 200), threshold=150, is_labels=kind == "labels"
        )
        return stages.keep(harness.Stage(pyramid, [[data]], look, **options))

    return make


def _let_come(stage, names, *, is_kept):
    """Let chunks come in this order, each in memory from then on or not at all."""
    bricks, known = stage.bricks, {}
    bricks._peek = known.get if is_kept else (lambda _: None)
    for name in names:
        known[name] = stage.chunk(name)
        bricks.accept(name, stage.chunk(name))
    while bricks.has_repairs:
        bricks.repair_borders(lambda: True)
    bricks.retire()


def _shuffled(harness, stage, seed=5):
    names = harness.all_names(stage.pyramid)
    return [names[i] for i in np.random.default_rng(seed).permutation(len(names))]


def _expected(stage, name, beside):
    """What a slot holds whose neighbours are `beside`."""
    data, edge = stage.planes[name[0]][0], 16
    place = unpack_keys(np.int64(name[1]))[1]
    grid = stage.pyramid.levels[0].grid_zyx

    def chunk(at):
        return data[tuple(slice(i * edge, (i + 1) * edge) for i in at)]

    def neighbour(offset):
        at = place + offset
        if (at < 0).any() or (at >= grid).any():
            return None
        key = ((int(at[0]) << 19 | int(at[1])) << 19) | int(at[2])
        return chunk(at) if (name[0], key) in beside else None

    padded = pad_brick(chunk(place), (1, 1, 1), neighbour)
    return stage.format.convert(fill_slot(padded, (18, 18, 18)))


def _are_right(stage, names, beside=None):
    for name in names:
        found = slot_texels(stage.gpu.device, stage.bricks, name)
        expected = _expected(stage, name, names if beside is None else beside)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_borders_are_whole_though_nothing_stays_in_memory(scene, harness, kind):
    stage = scene(kind)
    names = _shuffled(harness, stage)
    stage.bricks.want(dict.fromkeys(names, True))
    _let_come(stage, names, is_kept=False)
    _are_right(stage, names)


@pytest.mark.parametrize("mode", ["mip", "minip", "iso", "average", "translucent"])
@pytest.mark.parametrize("kind", ["u1", "f4"])
def test_a_picture_does_not_tell_whether_chunks_stayed_in_memory(
    scene, harness, kind, mode
):
    pictures = []
    for is_kept in (True, False):
        stage = scene(kind)
        names = _shuffled(harness, stage)
        stage.bricks.want(dict.fromkeys(names, True))
        _let_come(stage, names, is_kept=is_kept)
        look = harness.look_of(mode, contrast=(0, 200), threshold=150)
        pictures.append(stage.image(harness.oblique((40, 43, 48)), look))
    np.testing.assert_array_equal(*pictures)


def test_a_picture_of_labels_does_not_tell_either(scene, harness):
    pictures = []
    for is_kept in (True, False):
        stage = scene("labels")
        names = _shuffled(harness, stage)
        stage.bricks.want(dict.fromkeys(names, True))
        _let_come(stage, names, is_kept=is_kept)
        pictures.append(stage.image(harness.oblique((40, 43, 48))))
    np.testing.assert_array_equal(*pictures)


def test_a_brick_is_marked_for_what_is_no_number_in_its_border_alone(scene, harness):
    marked = []
    for is_kept in (True, False):
        stage = scene("f4")
        data = stage.planes[0][0]
        data[np.isnan(data)] = 0
        data[15, 4, 4] = data[20, 24, 24] = np.nan
        names = _shuffled(harness, stage)
        stage.bricks.want(dict.fromkeys(names, True))
        _let_come(stage, names, is_kept=is_kept)
        value_of = stage.bricks.table.value_of
        marked.append({n for n in names if value_of(n) & NONFINITE})
    assert marked[0] == marked[1]
    assert len(marked[0]) == 3


def test_the_border_of_a_brick_is_whole_after_its_neighbour_went_and_came(
    scene, harness
):
    stage = scene(budget=30 * 18**3)
    names = _shuffled(harness, stage)
    stage.bricks.want(dict.fromkeys(names, True))
    _let_come(stage, names, is_kept=False)
    stage.planes = [stage.planes[0], stage.planes[0]]
    others = [(1, key) for _, key in names[:10]]
    stage.bricks.want(dict.fromkeys([*names[:20], *others], True))
    _let_come(stage, others, is_kept=False)
    gone = [name for name in names if name not in stage.bricks.atlas]
    assert gone
    stage.bricks.want(dict.fromkeys(names, True))
    _let_come(stage, gone, is_kept=False)
    _are_right(stage, names)


def test_a_brick_takes_the_border_of_a_chunk_that_the_view_did_not_show_before(
    scene, harness
):
    for is_kept in (True, False):
        stage = scene()
        names = _shuffled(harness, stage)
        first, later = names[:14], names[14:]
        stage.bricks.want(dict.fromkeys(first, True))
        _let_come(stage, first, is_kept=is_kept)
        _are_right(stage, first)
        stage.bricks.want(dict.fromkeys(names, True))
        _let_come(stage, later, is_kept=is_kept)
        _are_right(stage, names)


def test_a_brick_gets_its_border_though_one_of_its_neighbours_is_given_up(
    scene, harness
):
    stage = scene()
    names = _shuffled(harness, stage)
    stage.bricks.want(dict.fromkeys(names, True))
    here = names[:20]
    for name in here:
        stage.bricks._peek = lambda _: None
        stage.bricks.accept(name, stage.chunk(name))
    stage.bricks.want(dict.fromkeys(here, True))
    _let_come(stage, (), is_kept=False)
    _are_right(stage, here)


def test_neighbours_of_a_chunk_whose_voxels_changed_get_its_new_ones(scene, harness):
    stage = scene()
    names = _shuffled(harness, stage)
    stage.bricks.want(dict.fromkeys(names, True))
    _let_come(stage, names, is_kept=False)
    stage.planes[0][0][16:32, 16:32, 16:32] = 7
    changed = next(
        n for n in names if tuple(unpack_keys(np.int64(n[1]))[1]) == (1,) * 3
    )
    stage.bricks.renew(changed)
    _let_come(stage, [changed], is_kept=False)
    _are_right(stage, names)


def test_a_chunk_that_the_plan_tells_to_be_constant_lends_its_value(scene, harness):
    from brickfield.gpu import Wanted, codes_of

    stage = scene()
    names = _shuffled(harness, stage)
    first, empty = names[:20], names[20:]
    for name in empty:
        stage.chunk(name)
        place = unpack_keys(np.int64(name[1]))[1] * 16
        stage.planes[0][0][tuple(slice(i, i + 16) for i in place)] = 0
    stage.bricks.want(dict.fromkeys(first, True))
    _let_come(stage, first, is_kept=False)
    keys, none = (np.sort([k for _, k in part]) for part in (first, empty))
    stage.bricks.want(Wanted({0: codes_of(keys, keys >= 0, none)}))
    _let_come(stage, (), is_kept=False)
    _are_right(stage, first, names)


def test_nothing_is_copied_while_all_is_in_memory(scene, harness, monkeypatch):
    monkeypatch.setattr("brickfield.gpu.texels.copying._stages", None)
    stage = scene()
    names = _shuffled(harness, stage)
    stage.bricks.want(dict.fromkeys(names, True))
    _let_come(stage, names, is_kept=True)
    _are_right(stage, names)
