"""Each name that napari does not promise has a fallback: something rests, none fails."""

import ast
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Points

import brickfield.plugin
from brickfield.plugin import napari_names
from brickfield.plugin.docking.camera_link import CameraLink
from brickfield.plugin.layers import levels
from brickfield.plugin.layers.gl_context import guard_removals
from brickfield.plugin.layers.holding import watch_lists_of
from brickfield.plugin.layers.objects import is_object
from brickfield.plugin.layers.scene_adapter import is_volume
from brickfield.plugin.scenes.state_undo import Before
from brickfield.plugin.slicing.lazy import wait_until_loaded

PLAIN = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6)


class Bare:
    """Something with the attributes that it is given, and no other."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


@pytest.fixture
def no_multiscale(monkeypatch):
    """``LazyLevels`` where the class of napari's lists of levels has moved."""
    monkeypatch.setitem(sys.modules, "napari.layers._multiscale_data", None)
    importlib.reload(levels)
    yield levels.LazyLevels
    monkeypatch.undo()
    importlib.reload(levels)


def test_private_names_of_napari_stand_in_one_module():
    """No other module of the plugin looks at an underscore that is not its own."""
    folder = Path(brickfield.plugin.__file__).parent
    found = [
        f"{path.name}:{node.lineno}"
        for path in sorted(folder.rglob("*.py"))
        if path.name != "napari_names.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if is_private_access(node)
    ]
    assert found == []


def is_private_access(node) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").startswith("napari.") and "._" in node.module
    if isinstance(node, ast.Constant):
        return node.value in ("_qt_window", "_qt_viewer", "_type_string", "_source")
    if not isinstance(node, ast.Attribute) or not node.attr.startswith("_"):
        return False
    own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls", "sys")
    return not (own or node.attr.startswith("__"))


def test_without_napari_s_list_of_levels_a_layer_shows_the_same(no_multiscale):
    assert napari_names.multiscale_base() is list
    layer = Image(no_multiscale([PLAIN, PLAIN[::2, ::2, ::2]]), multiscale=True)
    assert wait_until_loaded(layer, 10)
    assert np.array_equal(layer.data[0], PLAIN)
    assert np.array_equal(np.asarray(no_multiscale([PLAIN])), PLAIN)


@pytest.mark.parametrize("names", [(), ("_type_string",)])
def test_what_a_layer_is_is_told_by_its_class_where_its_name_is_gone(
    monkeypatch, names
):
    layers = [Image(PLAIN), Labels(PLAIN), Points(np.zeros((1, 3)))]
    for layer in layers:
        for name in names:
            monkeypatch.setattr(type(layer), name, None, raising=False)
    assert [napari_names.kind_of(x) for x in layers] == ["image", "labels", "points"]
    assert [is_volume(x) for x in layers] == [True, True, False]
    assert [is_object(x) for x in layers] == [False, False, True]
    assert napari_names.kind_of(object()) == ""


def test_a_layer_without_a_noted_source_keeps_what_it_has():
    """Neither a missing attribute nor another form of it is an error."""
    for layer in (Bare(), Bare(source="text"), Bare(source=None)):
        napari_names.note_source_path(layer, "masked")
        assert not hasattr(layer, "_source")


def test_lists_that_cannot_be_told_cost_nothing_but_the_early_closing():
    for layer in (Bare(), Bare(events=Bare()), Bare(events=Bare(extent=Bare()))):
        assert list(napari_names.lists_of(layer)) == []
        watch_lists_of(layer)


def test_the_lists_that_have_a_layer_are_found():
    viewer = ViewerModel()
    layer = viewer.add_image(PLAIN)
    assert list(napari_names.lists_of(layer)) == [viewer.layers]


def test_a_window_that_is_not_told_of_counts_as_open_and_is_not_guarded():
    viewer = Bare(window=Bare())
    assert napari_names.has_window(viewer)
    assert napari_names.main_window_of(viewer) is None
    assert napari_names.canvas_of(viewer) is None
    guard_removals(viewer)
    assert not napari_names.has_window(Bare(window=None))
    assert not napari_names.has_window(Bare(window=Bare(_qt_window=None)))


@pytest.mark.parametrize("part", ["_qt_viewer", "canvas", "native", "makeCurrent"])
def test_a_canvas_that_lies_elsewhere_is_none(part):
    """Whichever part of the way is gone."""
    native = Bare() if part == "makeCurrent" else Bare(makeCurrent=print)
    canvas = Bare() if part == "native" else Bare(native=native)
    inner = Bare() if part == "canvas" else Bare(canvas=canvas)
    window = Bare() if part == "_qt_viewer" else Bare(_qt_viewer=inner)
    assert napari_names.canvas_of(Bare(window=Bare(_qt_window=window))) is None


@pytest.mark.parametrize("size", ["canvas", "_canvas_size", None])
def test_the_size_of_the_canvas_is_looked_for_in_both_places(size):
    viewer = Bare(_canvas_size=(30, 40))
    if size == "canvas":
        viewer = Bare(canvas=Bare(size=(30, 40)))
    elif size is None:
        viewer = Bare()
    expected = None if size is None else (30, 40)
    assert napari_names.canvas_size_of(viewer) == expected


def test_the_camera_is_the_scene_s_or_the_viewer_s_own():
    camera = Bare()
    assert napari_names.camera_of(Bare(scene=Bare(camera=camera))) is camera
    assert napari_names.camera_of(Bare(camera=camera)) is camera
    assert napari_names.camera_of(Bare(scene=Bare())) is None


def test_without_a_camera_that_is_known_the_link_is_off(seen, caplog):
    """One sentence tells of it; view and viewer go on."""
    seen.viewer.add_image(PLAIN)
    seen.look()
    for viewer in (Bare(), Bare(canvas=Bare(size=(3, 4)), camera=Bare(zoom=1.0))):
        link = CameraLink(viewer, seen.view)
        seen.look()
        link.close()
    assert "the camera link is off" in caplog.text


def test_what_is_undone_leaves_a_camera_alone_that_is_not_known(seen, monkeypatch):
    from brickfield.plugin.scenes import state_undo

    monkeypatch.setattr(state_undo, "camera_of", lambda _viewer: None)
    Before(seen.viewer, seen.scene).put_back()
