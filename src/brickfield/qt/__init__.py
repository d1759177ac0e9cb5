"""Windows: pictures, controls and docks, for any owner of the display state.

Nothing here knows napari; layers are reached through
:mod:`brickfield.viewer.live.ports`. What is painted often is a label with a
pixmap: PySide6 6.12 on Python 3.11 loses references to None in every call of an
overridden method of Qt, until the interpreter ends. Of ``paintEvent`` there is one
override, in the choice of the mode, which is painted when it changes.
"""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.qt.background import Background as Background
    from brickfield.qt.chooser.window import ImageChooser as ImageChooser
    from brickfield.qt.controls.layout_buttons import cells_of as cells_of
    from brickfield.qt.deliver import Deliverer as Deliverer
    from brickfield.qt.dock import ViewDock as ViewDock
    from brickfield.qt.imaris_dialog import ImarisChoice as ImarisChoice
    from brickfield.qt.imaris_dialog import ImarisDialog as ImarisDialog
    from brickfield.qt.imaris_dialog import ImarisOffer as ImarisOffer
    from brickfield.qt.make_fast import MakeFastPanel as MakeFastPanel
    from brickfield.qt.port_watch import PortWatch as PortWatch
    from brickfield.qt.reports.strip import Strip as Strip
    from brickfield.qt.reports.tasks import RunningTask as RunningTask
    from brickfield.qt.reports.tasks import task_board as task_board
    from brickfield.qt.sessions.panel import RecentSession as RecentSession
    from brickfield.qt.sessions.panel import SessionsPanel as SessionsPanel
    from brickfield.qt.stem.dock import StemDock as StemDock
    from brickfield.qt.stem.session import COM as COM
    from brickfield.qt.stem.session import FFT as FFT
    from brickfield.qt.stem.session import PATTERN as PATTERN
    from brickfield.qt.stem.session import SCAN as SCAN
    from brickfield.qt.stem.session import VIRTUAL as VIRTUAL
    from brickfield.qt.stem.shapes import detector_of as detector_of
    from brickfield.qt.stem.shapes import outlines as outlines
    from brickfield.qt.turning import can_turn as can_turn
    from brickfield.qt.turning import holding_still as holding_still
    from brickfield.qt.turning import import_beside as import_beside
    from brickfield.qt.turning import run_beside as run_beside
    from brickfield.qt.turning import run_beside_then as run_beside_then
    from brickfield.qt.turning import take_a_turn as take_a_turn
    from brickfield.qt.turning import turn_until as turn_until

__all__ = [
    "COM",  # Role of the picture of centres of mass.
    "FFT",  # Role of the picture of a Fourier transform.
    "PATTERN",  # Role of the picture of a diffraction pattern.
    "SCAN",  # Role of the picture of a scan.
    "VIRTUAL",  # Role of the picture of a virtual detector.
    "Background",  # Runs functions on a thread, one after another. Main thread only.
    "Deliverer",  # Runs functions on the thread that it lives on, in order, from its event loop.
    "ImageChooser",  # Wells of a plate with pictures, or a list of images.
    "ImarisChoice",  # The user's options of an export.
    "ImarisDialog",  # What is exported, what it takes, and how far it is.
    "ImarisOffer",  # What there is to choose from.
    "MakeFastPanel",  # Where to write, what it takes, and two buttons.
    "PortWatch",  # Follows all layers of a scene. Main thread only.
    "RecentSession",  # One line of the list.
    "RunningTask",  # One piece of work on the board; for the worker, on any thread.
    "SessionsPanel",  # What the dock *Sessions* shows.
    "StemDock",  # Header, choices, detector, pages and running work of one scan.
    "Strip",  # A text, a button and a cross.
    "ViewDock",  # A widget with one or more views of a scene.
    "can_turn",  # Whether this thread has a Qt application's event loop.
    "cells_of",  # Return the place of each view of a layout.
    "detector_of",  # Make a detector from outlines that the user moved.
    "holding_still",  # Let nothing of the window happen meanwhile: functions run at once.
    "import_beside",  # Import modules on a thread while the event loop turns.
    "outlines",  # Return what is drawn of a detector: kind of shape and corners, outer first.
    "run_beside",  # Run a function on a thread of its own and wait for it in the event loop.
    "run_beside_then",  # Run a function on a thread of its own and another one after it; do not wait.
    "take_a_turn",  # Let the event loop turn once between two pieces of work; not everywhere.
    "task_board",  # Return the board of the process; on the window's thread.
    "turn_until",  # Run the event loop until a future is done; on the window's thread alone.
]

_HOME = {
    "outlines": "stem.shapes",
    "detector_of": "stem.shapes",
    "StemDock": "stem.dock",
    "VIRTUAL": "stem.session",
    "SCAN": "stem.session",
    "PATTERN": "stem.session",
    "FFT": "stem.session",
    "COM": "stem.session",
    "Background": "background",
    "Deliverer": "deliver",
    "ImageChooser": "chooser.window",
    "ImarisChoice": "imaris_dialog",
    "ImarisDialog": "imaris_dialog",
    "ImarisOffer": "imaris_dialog",
    "MakeFastPanel": "make_fast",
    "PortWatch": "port_watch",
    "RecentSession": "sessions.panel",
    "RunningTask": "reports.tasks",
    "SessionsPanel": "sessions.panel",
    "Strip": "reports.strip",
    "ViewDock": "dock",
    "can_turn": "turning",
    "cells_of": "controls.layout_buttons",
    "holding_still": "turning",
    "import_beside": "turning",
    "run_beside": "turning",
    "run_beside_then": "turning",
    "take_a_turn": "turning",
    "task_board": "reports.tasks",
    "turn_until": "turning",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
