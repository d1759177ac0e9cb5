"""Drive a napari window through a person's first minute, and judge what it says.

    .venv/bin/python tools/first_minute.py [--out DIR] [--size 1280x800] [--theme both]
                                           [--data URI…] [--binding pyside6] [--short]

For each theme and each place of data a window is opened on a screen of its own, and a
hand does what a person does: open, turn, choose views, cut, change the contrast, undo,
choose a well, tilt a plane, save and open a scene, close. All the while what the dock
says is compared with what is so (tools/window_truth.py). Each step leaves a picture of
the screen, and how late the event loop was, which is told and never judged.

The status is 0 when every sentence was true, 1 when one was false, 2 when a step could
not be done. `huge` in place of a URI is the sample of 10 TB.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from window_journey import Journey

ROOT = Path(__file__).parent.parent
THEMES = {"both": ("dark", "light"), "dark": ("dark",), "light": ("light",)}


# -- what a person does ------------------------------------------------------------


def begin(j: Journey, uri: str) -> None:
    """Open data; the dock comes by itself, and says from the start what is so."""
    from qtpy.QtCore import QTimer

    def act() -> None:
        if uri == "huge":
            j.viewer.open_sample("napari-brickfield", "huge")
        else:
            j.viewer.open(uri, plugin=None if is_tiff(uri) else "napari-brickfield")

    with j.step("open"):
        QTimer.singleShot(0, act)
        j.wait(lambda: len(j.viewer.layers))
        if not j.wait(lambda: j.dock is not None, 10 if uri != "huge" else 3):
            # napari's own reader opens no dock.
            action(j, "Volume view").trigger()
        j.wait(lambda: j.picture.isVisible())
    with j.step("first picture"):
        j.settle()
        has_picture = j.view.report.image is not None
        j.witness.expect(has_picture, "there is a picture")
        j.witness.look_at_rest()
        expect_pixels(j)


def is_tiff(uri: str) -> bool:
    """Whether napari's own reader opens it."""
    return uri.endswith((".tif", ".tiff"))


def expect_pixels(j: Journey) -> None:
    """The window shows the rendered picture, pixel for pixel."""
    from window_pixels import pixels_of

    drawn = j.view.report.image
    if drawn is None or j.picture.devicePixelRatioF() != 1:
        return
    seen = pixels_of(j.picture)
    if seen.shape[:2] != drawn.shape[:2]:
        j.witness.note(f"the picture of {drawn.shape[:2]} is shown as {seen.shape[:2]}")
        return
    is_free = (seen == drawn[..., :3]).all(axis=-1)
    for child in j.picture.children():
        if hasattr(child, "geometry") and child.isVisible():
            box = child.geometry()
            is_free[box.top() : box.bottom() + 1, box.left() : box.right() + 1] = True
    n_other = int((~is_free).sum())
    j.witness.expect(not n_other, f"{n_other} pixels are not those of the picture")


def turn_it(j: Journey) -> None:
    """Turn by the left button, zoom by the wheel, and read the value below."""
    with j.step("turn"):
        before = j.view.camera
        j.hand.drag(j.picture, j.picture.rect().center(), (90, 30))
        j.hand.wheel(j.picture, 1)
        j.settle()
        j.witness.expect(j.view.camera != before, "the camera has turned")
        j.witness.look_at_rest()
    with j.step("value below the cursor"):
        j.hand.move(j.picture)
        frame = j.dock.frames[j.view.kind]
        j.wait(lambda: frame.said, 10)
        j.witness.expect(frame.said, "the value below the cursor is told")


def choose_views(j: Journey) -> None:
    """Each layout, and back: the turned camera is still there."""
    from brickfield.viewer.live import are_flat

    layout, camera = j.dock.layout_name, j.view.camera
    names = ("xy", "2x2", "plane", "3D+plane", "3D")
    buttons = j.dock.toolbar.layouts.actions_by_name
    is_flat = are_flat(port.data for port in j.dock.scene.layers)
    for name in names[1:] if j.options.short else names:
        if not buttons[name].isEnabled():
            j.witness.expect(is_flat, f"deep data are offered {name}")
            continue
        with j.step(f"layout {name}"):
            press(j, buttons[name])
            j.witness.expect(j.dock.layout_name == name, f"the layout is {name}")
            j.settle()
            j.witness.look_at_rest()
            if name == "plane":
                tilt(j)
            if name == "3D+plane":
                drag_handle(j)
    if j.dock.layout_name != layout:
        press(j, buttons[layout])
    with j.step("views kept"):
        j.settle()
        kept = j.view.camera == camera
        j.witness.expect(kept, f"{layout} has kept its camera")


def press(j: Journey, action: Any) -> None:
    """Click the button of an action, or its line in a menu where there is no room."""
    from qtpy.QtWidgets import QToolButton

    for button in j.dock.findChildren(QToolButton):
        if button.defaultAction() is action and button.isVisible():
            j.hand.click(button)
            return
    action.trigger()
    j.turn(0.05)


def tilt(j: Journey) -> None:
    """Tilt the oblique plane; no hidden cross-hair moves with it."""
    from window_hand import RIGHT

    frame = j.dock.frames["plane"]
    before, cross = frame.view.normal, tuple(j.dock.scene.cross_hair)
    j.hand.drag(frame.picture, frame.picture.rect().center(), (40, 60), RIGHT)
    j.settle()
    j.witness.expect(tuple(frame.view.normal) != tuple(before), "the plane has tilted")
    is_there = tuple(j.dock.scene.cross_hair) == cross
    j.witness.expect(is_there, "the cross-hair stays where it was")


def drag_handle(j: Journey) -> None:
    """Tilt the plane by its handle in the volume, which stays as it is."""
    from qtpy.QtCore import QPoint

    overlay = j.dock.panels.plane_in_volume.overlay
    volume, plane = j.dock.frames["3D"], j.dock.frames["plane"].view
    j.witness.expect(overlay.handle is not None, "the volume shows the plane's handle")
    before, camera = tuple(plane.normal), volume.view.camera
    tip = overlay.logical(overlay.handle.tip).toPoint()
    j.hand.drag(volume.picture, tip, (-24, 18))
    j.settle()
    j.witness.expect(tuple(plane.normal) != before, "the handle tilts the plane")
    j.witness.expect(volume.view.camera == camera, "the volume stays as it is")
    j.hand.move(volume.picture, QPoint(8, volume.picture.height() // 2))


def cut(j: Journey) -> None:
    """Open the clip box by its key, and type one of its ends."""
    from qtpy.QtCore import Qt

    panel = j.dock.panels.clip
    with j.step("clip box"):
        j.hand.move(j.picture)
        j.hand.key(j.picture, Qt.Key.Key_C)
        j.wait(lambda: panel.isVisible(), 5)
        j.witness.expect(panel.isVisible(), "the key C opens the clip box")
        j.turn(0.3)
        (low, high), before = panel.bounds, panel.box[0]
        axis = next(i for i in (2, 1, 0) if high[i] - low[i] > 0)
        box = panel.boxes[axis][1]
        scroll_to(j, box)
        j.hand.write(box, box.write(low[axis] + 0.6 * (high[axis] - low[axis])))
        j.settle()
        j.witness.expect(panel.box[0] != before, "the layers are cut")
        j.witness.look_at_rest()
    with j.step("clip box undone"):
        undo(j)
        j.settle()
        j.witness.expect(panel.box[0] == before, "undo takes the cut back")
        j.hand.key(j.picture, Qt.Key.Key_C)
        j.settle()


def scroll_to(j: Journey, widget: Any) -> None:
    """Bring a control of a panel where it can be seen."""
    j.dock.panels.ensureWidgetVisible(widget)
    j.turn(0.1)


def undo(j: Journey, *, again: bool = False) -> None:
    """Press Ctrl+Z, or Ctrl+Shift+Z, over the picture."""
    from qtpy.QtCore import Qt

    held = Qt.KeyboardModifier.ControlModifier
    if again:
        held |= Qt.KeyboardModifier.ShiftModifier
    j.hand.move(j.picture)
    j.hand.key(j.picture, Qt.Key.Key_Z, held)


def change_contrast(j: Journey) -> None:
    """Drag the upper end of the contrast, take it back and do it again."""
    from qtpy.QtCore import QPoint

    panel = j.dock.panels.appearance
    header = j.dock.panels.section_of(panel).header
    port = j.dock.scene.active
    if port is None or port.is_labels:
        return
    with j.step("contrast"):
        j.hand.click(header)
        j.settle()
        editor, before = panel.editor, tuple(port.contrast)
        scroll_to(j, editor)
        x = round(editor.plot.x(before[1]))
        start = QPoint(min(x, editor.width() - 2), 20)
        j.hand.drag(editor, start, (-editor.width() // 4, 0))
        j.settle()
        after = tuple(port.contrast)
        j.witness.expect(after != before, "the contrast follows the hand")
        j.witness.look_at_rest()
    with j.step("undo and redo"):
        undo(j)
        j.turn(0.2)
        j.witness.expect(tuple(port.contrast) == before, "undo gives the contrast back")
        undo(j, again=True)
        j.turn(0.2)
        j.witness.expect(tuple(port.contrast) == after, "redo takes it again")
        press(j, j.dock.toolbar.by_name["undo"])
        j.settle()
        j.witness.expect(tuple(port.contrast) == before, "so does the button")
    j.hand.click(header)


def press_keys(j: Journey) -> None:
    """A key over the picture is for the picture, and for nobody behind it."""
    from qtpy.QtCore import Qt

    with j.step("keys"):
        modes = [layer.mode for layer in j.viewer.layers]
        camera = j.view.camera
        j.hand.move(j.picture)
        j.hand.key(j.picture, Qt.Key.Key_2)
        j.settle()
        kept = [layer.mode for layer in j.viewer.layers] == modes
        j.witness.expect(kept, "the key 2 switches no layer into another mode")
        j.hand.key(j.picture, Qt.Key.Key_F)
        j.settle()
        j.hand.key(j.picture, Qt.Key.Key_F)
        j.settle()
        is_flat = j.view.kind != "3D"
        j.witness.expect(is_flat or j.view.camera != camera, "the key 2 turns the view")


def choose_well(j: Journey) -> None:
    """Where the file has more images: look at them, and show another one."""
    from brickfield.plugin.docking import chooser

    strip = j.dock.images.strip
    if not strip.isVisible():
        return
    with j.step("chooser"):
        j.hand.click(strip.button)
        windows = chooser._windows.get(j.viewer, {})
        j.wait(lambda: windows and next(iter(windows.values())).isVisible(), 20)
        window = next(iter(windows.values()))
        j.wait(lambda: window.chosen)
        j.wait(lambda: not window.reading.n_waiting)
        j.turn(0.3)
        j.witness.look_for_cuts(window)
    with j.step("another image"):
        before = strip.text.whole
        spot = another(window)
        j.hand.click(spot[0].viewport(), spot[1])
        j.turn(0.5)
        j.hand.click(window.replace)
        told = j.wait(lambda: window.summary.whole.startswith("Opened"), 30)
        j.witness.expect(told, f"it is opened; told: {window.summary.whole}")
        j.settle()
        changed = strip.text.whole != before
        j.witness.expect(changed, f"the line tells of the new image, not {before!r}")
        j.witness.look_at_rest()
    with j.step("chooser closed"):
        from qtpy.QtCore import Qt

        j.hand.key(window, Qt.Key.Key_Escape)
        j.settle()


def another(window: Any) -> Any:
    """Return the widget and the place of an image that is not shown."""
    table = window.plate
    if table is not None:
        model = table.model()
        current = table.currentIndex()
        for row in range(model.rowCount()):
            for column in range(model.columnCount()):
                index = model.index(row, column)
                well = model.well_at(index)
                look = model.look_at(index)
                if well is None or index == current or (look and not look.entries):
                    continue
                return table, table.visualRect(index).center()
    images = window.images
    row = (images.currentRow() + 1) % images.count()
    item = images.item(row)
    images.scrollToItem(item)
    return images, images.visualItemRect(item).center()


def keep_scene(j: Journey) -> None:
    """Save a scene by the menu, turn, and open it again."""
    from qtpy.QtWidgets import QFileDialog, QLineEdit

    path = j.out / "scene.json"
    path.unlink(missing_ok=True)

    def choose(words: str, name: str) -> None:
        action(j, words).trigger()
        j.wait(lambda: visible(j, QFileDialog), 10)
        dialog = visible(j, QFileDialog)
        field = dialog.findChild(QLineEdit)
        j.turn(0.3)
        j.keep(name)
        j.hand.write(field, str(path))

    with j.step("save a scene"):
        camera = j.view.camera
        choose("Save scene", "save")
        j.witness.expect(j.wait(path.is_file, 20), "the scene is saved")
        j.turn(0.5)
    with j.step("open a scene"):
        j.hand.drag(j.picture, j.picture.rect().center(), (60, -20))
        j.settle()
        choose("Open scene", "open")
        back = j.wait(lambda: j.dock and same_view(j.view.camera, camera), 30)
        j.witness.expect(back, "the camera of the scene is back")
        j.settle()
        j.witness.look_at_rest()


def same_view(one: Any, other: Any) -> bool:
    """Whether two cameras see the same, but for rounding in a file.

    The picture may have another size: napari's status bar is as high as its words.
    """
    import numpy as np

    if one is None or one.orthographic != other.orthographic:
        return False
    near = 1e-3 * np.linalg.norm(np.subtract(one.position, one.target))
    is_there = all(
        np.allclose(getattr(one, name), getattr(other, name), rtol=0, atol=near)
        for name in ("position", "target")
    )
    is_upright = np.allclose(one.up, other.up, atol=1e-3)
    # Height of the picture in world units a pixel, or the angle that it takes.
    scales = [
        camera.height / camera.viewport[1] if camera.orthographic else camera.fov
        for camera in (one, other)
    ]
    return bool(is_there and is_upright and np.isclose(*scales, rtol=1e-3))


def action(j: Journey, words: str) -> Any:
    """Find a line of napari's menus."""
    todo = list(j.main.menuBar().actions())
    while todo:
        one = todo.pop()
        if one.menu() is not None:
            todo += one.menu().actions()
        elif one.text().replace("&", "").startswith(words):
            return one
    msg = f"no menu has {words!r}"
    raise LookupError(msg)


def visible(j: Journey, kind: Any) -> Any:
    """Return a visible dialog of a kind, or None."""
    return next((w for w in j.main.findChildren(kind) if w.isVisible()), None)


def finish(j: Journey) -> None:
    """Close the dock, then the window."""
    with j.step("close"):
        dock, views = j.dock, j.dock.views
        holder = dock.parentWidget()
        while not hasattr(holder, "toggleViewAction"):
            holder = holder.parentWidget()
        j.viewer.window.remove_dock_widget(holder)
        closed = j.wait(lambda: all(view.is_closed for view in views), 20)
        j.witness.expect(closed, "the views end with the dock")
        j.turn(0.5)
    with j.step("window closed"):
        j.viewer.close()
        j.turn(0.5)


# -- journeys ----------------------------------------------------------------------


def travel(options: argparse.Namespace) -> int:
    """Do everything in this process, on the screen that there is."""
    from window_journey import Journey  # napari: after the settings are chosen

    place, short = options.data[0], options.short
    j = Journey(options.out, options)
    begin(j, place)
    turn_it(j)
    choose_views(j)
    cut(j)
    change_contrast(j)
    if not short:
        press_keys(j)
    keep_scene(j)
    choose_well(j)
    finish(j)
    return j.end()


def generated(short: bool) -> list[str]:
    """Write what is looked at where no data are named: a volume, and a plate."""
    import window_data

    if short:
        return [window_data.small_volume()]
    return [window_data.sample(), window_data.plate()]


def child(options: argparse.Namespace, theme: str, place: str) -> int:
    """Do one journey in a process with a screen and settings of its own."""
    path = Path(place.rstrip("/"))
    name = path.name.partition(".")[0] or "data"
    if name == "image":
        # As many are called; the folder says of what.
        name = path.parent.name
    out = options.out / f"{name}-{theme}-{options.size}-{options.binding}"
    python = [sys.executable]
    if options.binding == "pyside6":
        python = ["sh", str(ROOT / "tools" / "pyside.sh")]
    words = [*python, __file__, "--here", "--out", str(out), "--theme", theme]
    words += ["--size", options.size, "--binding", options.binding, "--data", place]
    words += [flag for flag in ("--short", "--xdotool") if getattr(options, flag[2:])]
    env = {**os.environ, "QT_API": options.binding, "PYTHONFAULTHANDLER": "1"}
    is_real = env.get("BRICKFIELD_SCREEN") == "real"
    if not is_real and shutil.which("xvfb-run"):
        env.pop("QT_QPA_PLATFORM", None)
        env.pop("WAYLAND_DISPLAY", None)
        screen = f"-screen 0 {options.size}x24"
        words = ["xvfb-run", "-a", "-s", screen, *words]
    print(f"{name}, {theme}, {options.size}, {options.binding}", flush=True)
    with tempfile.TemporaryDirectory(prefix="brickfield-minute-") as folder:
        env |= {"NAPARI_CONFIG": f"{folder}/s.yaml", "XDG_CACHE_HOME": f"{folder}/c"}
        return subprocess.run(words, env=env, check=False).returncode


def main() -> None:
    """Do all journeys."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("first-minute"))
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--theme", choices=THEMES, default="both")
    parser.add_argument("--data", nargs="+", metavar="URI")
    parser.add_argument("--binding", choices=("pyqt6", "pyside6"), default="pyqt6")
    parser.add_argument("--short", action="store_true", help="the most important steps")
    parser.add_argument("--xdotool", action="store_true", help="events of the X server")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        sys.exit(travel(options))
    places = options.data or generated(options.short)
    themes = THEMES[
        "dark" if options.short and options.theme == "both" else options.theme
    ]
    ends = [child(options, theme, place) for place in places for theme in themes]
    # A child that a signal ended has a status below 0.
    sys.exit(max(map(abs, ends)))


if __name__ == "__main__":
    main()
