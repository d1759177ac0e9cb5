"""One napari window on one screen, and what became of each step in it."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import napari
from window_hand import Hand, turn_until
from window_truth import LAG_S, Witness

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from benchmarks.napari_lateness import Beats  # noqa: E402 - of this folder's parent

PATIENCE_S = 300.0


class Journey:
    """One window in one theme, and the steps that were done in it.

    Parameters
    ----------
    out : Path
        Folder of the pictures and of ``report.json``.
    options : argparse.Namespace
    """

    def __init__(self, out: Path, options: argparse.Namespace) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.out, self.options = out, options
        self.steps: list[dict[str, Any]] = []
        self.viewer = napari.Viewer(show=False)
        self.viewer.theme = options.theme
        self.main.resize(*map(int, options.size.split("x")))
        self.main.show()
        self.main.move(0, 0)
        self.beats = Beats()
        self.witness = Witness(self.viewer, lambda: self.dock)
        self.hand = Hand(self.turn, is_x=options.xdotool)
        self.turn(1.0)

    # -- what there is -----------------------------------------------------------

    @property
    def main(self) -> Any:
        """Napari's main window."""
        return self.viewer.window._qt_window

    @property
    def dock(self) -> Any:
        """The dock, or None while there is none."""
        registry = sys.modules.get("brickfield.plugin.layers.registry")
        docks = registry.docks_of(self.viewer) if registry else []
        return docks[0] if docks else None

    @property
    def view(self) -> Any:
        """The volume view, or the only one."""
        return self.dock.main_view

    @property
    def picture(self) -> Any:
        """The widget of the volume view, or of the only one."""
        return self.dock.frames[self.view.kind].picture

    @property
    def images(self) -> list[Any]:
        """Image layers."""
        return [x for x in self.viewer.layers if type(x).__name__ == "Image"]

    # -- time --------------------------------------------------------------------

    def turn(self, seconds: float) -> None:
        """Let the event loop run, and look at what is said."""
        end = monotonic() + seconds
        self.wait(lambda: monotonic() > end, seconds + PATIENCE_S)

    def wait(self, is_true: Callable[[], Any], seconds: float = PATIENCE_S) -> bool:
        """Let the event loop run until something is true, and look meanwhile."""

        def look() -> bool:
            self.witness.look()
            return bool(is_true())

        return turn_until(look, seconds)

    def settle(self) -> None:
        """Wait until all pictures are complete and the dock has said so."""
        # Long enough for the dock to say what is so: it does so five times a second.
        self.turn(0.25)
        views = self.dock.views
        is_done = self.wait(lambda: all(v.is_settled for v in views if v.is_shown))
        self.witness.expect(is_done, f"the pictures are complete in {PATIENCE_S:.0f} s")
        self.turn(0.25)
        # On a machine with much to do the window's timers are late; the witness notes
        # what stays false.
        self.wait(self.witness.is_badge_true, LAG_S)

    # -- steps -------------------------------------------------------------------

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Do one thing; keep its picture, what was false and how late the loop was."""
        print(f"  {len(self.steps) + 1:02d} {name}", flush=True)
        n_before, started = len(self.witness.found), monotonic()
        self.beats.at.clear()
        self.witness.begin()
        failed = ""
        try:
            yield
        except Exception:  # noqa: BLE001 - the next step may do
            failed = traceback.format_exc()
            print(failed, flush=True)
        late = self.beats.lateness_ms()
        found = {
            "step": name,
            "seconds": round(monotonic() - started, 2),
            "late_ms": round(max(late, default=0.0), 1),
            "said": self._said(),
            "false": self.witness.found[n_before:],
            "failed": failed,
        }
        self.steps.append(found)
        self.keep(name)

    def _said(self) -> str:
        status = self.dock.status if self.dock is not None else None
        if status is None:
            return ""
        badge = status.fidelity.text() if status.fidelity.isVisible() else ""
        return " | ".join(part for part in (badge, status.text.whole) if part)

    def keep(self, name: str) -> None:
        """Keep a picture of the whole screen, with menus and dialogs."""
        if "_qt_window" not in vars(self.viewer.window) or not self.main.isVisible():
            return
        pixmap = self.main.screen().grabWindow(0)
        path = self.out / f"{len(self.steps):02d}-{name.replace(' ', '-')}.png"
        pixmap.save(str(path))

    def end(self) -> int:
        """Write the report; return the status."""
        report = {"options": vars(self.options), "steps": self.steps}
        text = json.dumps(report, indent=1, default=str)
        (self.out / "report.json").write_text(text, encoding="utf-8")
        for step in self.steps:
            print(f"{step['late_ms']:9.0f} ms late  {step['step']}: {step['said']}")
        n_false = sum(len(step["false"]) for step in self.steps)
        n_failed = sum(bool(step["failed"]) for step in self.steps)
        print(f"{len(self.steps)} steps, {n_false} false sentences, {n_failed} failed")
        return 2 if n_failed else int(n_false > 0)
