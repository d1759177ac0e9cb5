"""Each change of a layer causes exactly its work, in every view that shows it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from brickfield.loading import default_cache
from brickfield.model import ChunkId
from brickfield.model.appearance import color_lut
from brickfield.store import LayerSnapshot, open_store


def finish(view):
    assert view.wait_until_complete(30)
    return view.image()


def work_of(view):
    (done,) = view.sync().values()
    return done


def test_nothing_changed_means_no_work(store, make_view, layer_of):
    view = make_view(layer_of(store))
    finish(view)
    assert work_of(view) == set()


def test_a_colour_change_rewrites_the_table_in_place(store, make_view, layer_of):
    layer = layer_of(store)
    view = make_view(layer)
    gray = finish(view)
    renderer = view.manager.renderers[0]
    lut, version = renderer.bricks.material.lut, renderer.bricks.atlas.version
    channel = replace(layer.appearance.channels[0], lut=color_lut((255, 0, 0)))
    layer.appearance = replace(layer.appearance, channels=(channel,))
    assert work_of(view) == {"lut"}
    assert renderer.bricks.material.lut is lut
    assert renderer.bricks.atlas.version == version
    red = view.image()
    assert (red[..., 0] == gray[..., 0]).all()
    assert not red[..., 1:3].any()


def test_a_data_change_forgets_bricks_but_keeps_textures(store, make_view, layer_of):
    layer = layer_of(store)
    view = make_view(layer)
    finish(view)
    renderer = view.manager.renderers[0]
    textures = [renderer.bricks.atlas.texture(i) for i in range(3)]
    layer.data_version.bump()
    assert work_of(view) == {"residency", "lut"}
    assert not renderer.bricks.atlas.resident()
    assert [renderer.bricks.atlas.texture(i) for i in range(3)] == textures


def test_a_geometry_change_builds_the_renderer_anew(store, make_view, layer_of):
    layer = layer_of(store)
    view = make_view(layer)
    before = finish(view)
    layer.geometry_version.bump()
    assert "rebuild" in work_of(view)
    assert (finish(view) == before).all()


def test_a_renderer_compares_a_snapshot_with_the_one_it_drew_before(
    store, make_view, layer_of
):
    """It keeps no versions of its own: the snapshot that it drew is what it has seen."""
    layer = layer_of(store)
    view = make_view(layer)
    finish(view)
    (renderer,) = view.manager.renderers
    layer.colormap_version.bump()
    layer.colormap_version.bump()
    snapshot = LayerSnapshot.of(layer)
    assert renderer.sync(snapshot) == {"lut"}
    assert renderer.layer is snapshot
    assert renderer.sync(LayerSnapshot.of(layer)) == set()


def test_snapshots_of_the_same_layers_keep_their_renderers(store, make_view, layer_of):
    first, second = layer_of(store), layer_of(store)
    view = make_view(first, second)
    finish(view)
    kept = list(view.manager.renderers)
    view.show([LayerSnapshot.of(first), LayerSnapshot.of(second)])
    assert view.manager.renderers == kept
    view.show([LayerSnapshot.of(second)])
    assert view.manager.renderers == kept[1:]


def test_two_views_of_one_layer_see_each_bump_and_share_the_cache(
    store, make_view, layer_of
):
    layer = layer_of(store)
    first, second = make_view(layer), make_view(layer)
    picture = finish(first)
    requests = store.manager.counters.requests
    assert (finish(second) == picture).all()
    assert store.manager.counters.requests == requests
    layer.colormap_version.bump()
    assert work_of(first) == {"lut"}
    assert work_of(second) == {"lut"}


def test_the_picture_equals_numpy_in_every_view_along_an_axis(
    volume, store, make_view, layer_of
):
    for axis, letter in enumerate("zyx"):
        expected = volume.max(axis=axis)
        view = make_view(
            layer_of(store), size=expected.shape[::-1], camera=f"ortho:{letter}"
        )
        assert np.array_equal(finish(view)[..., 0], expected)


def test_stepping_time_shows_no_blank_and_revisiting_reads_nothing(make_view, layer_of):
    rng = np.random.default_rng(0)
    film = rng.integers(1, 255, (3, 70, 70, 70), dtype=np.uint8)
    default_cache().clear()
    with open_store(film, axes=("t", "z", "y", "x")) as store:
        layer = layer_of(store)
        view = make_view(layer, size=(70, 70), camera="ortho:z")
        first = finish(view)
        layer.selections = [(1,)]
        view.update(slice_s=0.0)
        assert np.array_equal(view.image(), first), "the old point stays until then"
        assert np.array_equal(finish(view)[..., 0], film[1].max(axis=0))
        requests = store.manager.counters.requests
        layer.selections = [(0,)]
        assert np.array_equal(finish(view), first)
        assert store.manager.counters.requests == requests


def test_zooming_in_never_shows_anything_coarser_than_before(
    make_view, volume, layer_of, levels_of
):
    default_cache().clear()
    with open_store(levels_of(volume, 3)) as store:
        view = make_view(layer_of(store), camera="orbit:20,20,0.3", gpu_budget=12 << 20)
        finish(view)
        view.camera = replace(
            view.camera,
            position=tuple(
                np.array(view.camera.target)
                + 0.2 * np.subtract(view.camera.position, view.camera.target)
            ),
        )
        view.update(slice_s=0.0)
        n_sharp, n_frames = 0, 0
        while not view.is_complete:
            classes = view.classes()
            n_frames += 1
            assert not (classes == 3).any(), "nothing goes blank"
            assert (classes == 1).sum() >= n_sharp, "nothing goes coarser"
            n_sharp = (classes == 1).sum()
            store.manager.wait(view.manager.renderers[0].visual_id, 30)
            view.update(slice_s=0.0001)
        assert n_frames > 1
        assert set(np.unique(view.classes())) <= {0, 1}


def test_other_colours_of_labels_are_rewritten_in_place(make_view, layer_of):
    data = np.arange(1, 1 + 4 * 20 * 30).reshape(4, 20, 30).astype(np.uint32)
    colors = np.random.default_rng(0).integers(1, 256, (2, 50, 4), dtype=np.uint8)
    colors[..., 3] = 255
    default_cache().clear()
    with open_store(data) as store:
        layer = layer_of(store, is_labels=True, label_colors=colors[0])
        view = make_view(layer, size=(30, 20), camera="ortho:z")
        image = finish(view)[..., :3]
        assert np.array_equal(image, colors[0][(data[0] - 1) % 49 + 1, :3])
        renderer = view.manager.renderers[0]
        rows = renderer.bricks.material.label_rows
        layer.appearance = replace(layer.appearance, label_colors=colors[1])
        assert work_of(view) == {"lut"}
        assert renderer.bricks.material.label_rows is rows
        image = view.image()[..., :3]
        assert np.array_equal(image, colors[1][(data[0] - 1) % 49 + 1, :3])
        fewer = replace(layer.appearance, label_colors=colors[1][:20])
        layer.appearance = fewer
        assert work_of(view) == {"lut"}
        image = view.image()[..., :3]
        assert np.array_equal(image, colors[1][(data[0] - 1) % 19 + 1, :3])


def test_another_number_of_colours_folds_wide_labels_anew(make_view, layer_of):
    data = np.full((4, 20, 30), (1 << 40) + 12345, np.int64)
    colors = np.random.default_rng(0).integers(1, 256, (50, 4), dtype=np.uint8)
    colors[:, 3] = 255
    default_cache().clear()
    with open_store(data) as store:
        layer = layer_of(store, is_labels=True, label_colors=colors)
        view = make_view(layer, size=(30, 20), camera="ortho:z")
        for n in (50, 33):
            layer.appearance = replace(layer.appearance, label_colors=colors[:n])
            row = ((1 << 40) + 12344) % (n - 1) + 1
            assert (finish(view)[..., :3] == colors[row, :3]).all()


def test_changed_chunks_stay_on_screen_until_they_come_anew(
    volume, levels_of, make_view, layer_of
):
    """And the picture is then that of a store that holds the new voxels."""
    default_cache().clear()
    levels = levels_of(volume, 3)
    store = open_store(levels)
    layer = layer_of(store)
    view = make_view(layer)
    before = finish(view)
    renderer = view.manager.renderers[0]
    drawn, counters = set(renderer.bricks.atlas.resident()), store.manager.counters
    for i, data in enumerate(levels):
        half = slice(0, data.shape[0] // 2)
        data[half] = 255 - data[half]
        store.mark_changed(i, (half, slice(None), slice(None)))
    assert work_of(view) == {"chunks"}
    assert set(renderer.bricks.atlas.resident()) == drawn
    after = finish(view)
    assert (after != before).any()
    n_read = store.manager.counters.requests - counters.requests
    assert n_read > 0
    assert work_of(view) == set()
    other = open_store([data.copy() for data in levels])
    assert (finish(make_view(layer_of(other))) == after).all()
    store.close()
    other.close()


def test_chunks_that_nobody_shows_are_not_read_when_they_change(
    store, make_view, layer_of
):
    view = make_view(layer_of(store))
    finish(view)
    wanted = {key for _, key in view.manager.renderers[0].bricks.wanted}
    n_read = store.manager.counters.requests
    levels = {ChunkId.from_key(key).scale_level for key in wanted}
    for level in set(range(3)) - levels:
        store.mark_changed(level)
    finish(view)
    assert store.manager.counters.requests == n_read
