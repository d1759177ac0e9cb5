"""By how much napari's event loop is late while layers are saved as an Imaris file.

    tools/screen.sh python -m benchmarks.imaris_event_loop [--rounds 3] [--planes 112]

A window with a 16-bit image of 1,000 × 1,000 pixels a plane stands still; a timer of
5 ms runs in its event loop. The 99th percentile and the most of its lateness are taken
of napari at rest, while File > Save writes the layer, and while napari shows a progress
bar of its own for as long and nothing is saved, in turns.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.imaris import camera_image
from benchmarks.napari_lateness import Beats, Session

PLUGIN = "napari-brickfield"


def show_bar(session: Session, seconds: float) -> None:
    """Show napari's own progress bar, which moves ten times a second."""
    from napari.utils import progress

    with progress(total=1000) as shown:
        end = perf_counter() + seconds
        while perf_counter() < end:
            session.turn(0.1)
            shown.update(round(100 / seconds))


def main() -> None:
    """Print the figures of all rounds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--planes", type=int, default=112)
    chosen = parser.parse_args()
    rest: list[float] = []
    saving: list[float] = []
    bar: list[float] = []
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        session = Session(True, Path(folder), stack)
        layer = session.viewer.add_image(camera_image(chosen.planes), name="cells")
        # The first save loads what it needs.
        layer.save(f"{folder}/first.ims", plugin=PLUGIN)
        for number in range(chosen.rounds):
            session.turn(0.5)
            beats = Beats()
            session.turn(2.0)
            rest += beats.lateness_ms()
            beats = Beats()
            start = perf_counter()
            layer.save(f"{folder}/{number}.ims", plugin=PLUGIN)
            seconds.append(perf_counter() - start)
            saving += beats.lateness_ms()
            session.turn(0.5)
            beats = Beats()
            show_bar(session, seconds[-1])
            bar += beats.lateness_ms()
        session.viewer.close()
    found = {"rest": rest, "saving": saving, "napari's bar": bar}
    figures = {
        name: {
            "p99 ms": round(float(np.percentile(late, 99)), 1),
            "most ms": round(max(late), 1),
            "ticks": len(late),
        }
        for name, late in found.items()
    }
    print(json.dumps(figures | {"seconds a save": round(float(np.median(seconds)), 2)}))


if __name__ == "__main__":
    main()
