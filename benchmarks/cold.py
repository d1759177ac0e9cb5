"""E20 and N1: what the first picture of a process costs, from a shell and in napari.

Everything is done in a process of its own (:mod:`benchmarks.cold_process`), with an
empty cache of the driver, in turn with what it is compared with: for a picture from a
shell tensorstore and pygfx's own volume with nothing around them; for the dock what
importing the graphics, finding the device and compiling the program take by themselves
in the same napari window.

N1 needs a screen, real or virtual (``tools/screen.sh python -m benchmarks --only N1``).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import napari_lateness
from benchmarks.clock import median
from benchmarks.peers import CELLIER, HERE, find_peers
from benchmarks.rows import ROOT, Row, Setting, at_most
from benchmarks.scenes import halved, light_sheet, write_pyramid

REPEATS = 3
PATIENCE_S = 120


def render(setting: Setting) -> list[Row]:
    """E20."""
    path = _pyramid(setting, 512)
    ours, bare = [], []
    for i in range(REPEATS):
        bare.append(
            cpu_s([sys.executable, "-m", "benchmarks.cold_process", "bare", path])
        )
        picture = str(setting.folder / f"{i}.png")
        command = [sys.executable, "-m", "brickfield.cli.main", "render", path]
        ours.append(cpu_s([*command, "-o", picture, "--contrast", "0,4000"]))
    ratio = median([a / b for a, b in zip(ours, bare, strict=True)])
    note = (
        f"{median(ours):.2f} s of CPU against {median(bare):.2f} s; imports, compiling"
        " and reading included, 512³, 800×600"
    )
    what = "CPU of a cold brickfield render ÷ bare tensorstore and gfx.Volume"
    rows = [at_most("E20", what, ratio, 1.1, repeats=REPEATS, note=note)]
    python = None if setting.peers is None else find_peers(ROOT, "cellier")
    if python is not None:
        script = str(HERE / "cellier_frames.py")
        question = json.dumps(_as_cellier(path, setting.folder))
        theirs = [cpu_s([str(python), script, question]) for _ in range(REPEATS)]
        what = f"CPU of a cold brickfield render ÷ {CELLIER}"
        ratio = median(ours) / median(theirs)
        note = (
            f"{median(ours):.2f} s of CPU against {median(theirs):.2f} s, one picture"
        )
        rows.append(at_most("E20", what, ratio, 0.5, repeats=REPEATS, note=note))
    return rows


def _as_cellier(path: str, folder: Path) -> dict[str, object]:
    """Ask cellier for one picture of the whole finest level, as :func:`draw_bare`."""
    edge = json.loads((Path(path) / "0" / "zarr.json").read_text())["shape"][0]
    way = np.array([-1, -0.6, 0.8]) / np.linalg.norm([-1, -0.6, 0.8])
    middle = np.full(3, edge / 2)
    return {
        "path": path,
        "image": str(folder / "cellier.npy"),
        "size": [800, 600],
        "contrast": [0, 4000],
        "fov": 45,
        "depth": [1, 10 * edge],
        "position": (middle - 2.7 * edge * way).tolist(),
        "target": middle.tolist(),
        "up": [0, 1, 0],
        "warm_up": 1,
        "repeats": 0,
    }


def dock(setting: Setting) -> list[Row]:
    """N1: the first volume of a session, and steps after it, beside napari alone."""
    path = _pyramid(setting, 256)
    found = {
        what: [in_napari(what, path) for _ in range(REPEATS)]
        for what in ("graphics", "napari", "ours", "dropped")
    }
    if not all(one for runs in found.values() for one in runs):
        note = "needs a screen: tools/screen.sh python -m benchmarks --only N1"
        return [Row("N1", "first picture with data of a cold dock", None, note=note)]

    def middle(what: str, name: str) -> float:
        return median([run[name] for run in found[what]])

    first, alone = middle("ours", "first_s"), middle("graphics", "first_s")
    late, usual = middle("ours", "late_ms"), middle("napari", "late_ms")
    return [
        at_most(
            "N1",
            "first picture with data of a cold dock ÷ import, device and compiling",
            first / alone,
            1.2,
            repeats=REPEATS,
            note=f"{first:.2f} s after open_volume against {alone:.2f} s; CPU of all"
            f" threads {middle('ours', 'cpu_s'):.2f} s against"
            f" {middle('graphics', 'cpu_s'):.2f} s",
        ),
        at_most(
            "N1",
            "the same of a folder dropped on napari's window",
            middle("dropped", "first_s") / alone,
            1.2,
            repeats=REPEATS,
            note=f"{middle('dropped', 'first_s'):.2f} s after napari begins to read it",
        ),
        at_most(
            "N1",
            "the window blocked while the first volume opens, beyond napari's own layer",
            max(0.0, late - usual),
            100,
            unit="ms",
            repeats=REPEATS,
            note=f"{late:.0f} ms at most at a time against {usual:.0f} ms",
        ),
        at_most(
            "N1",
            "pictures without data before the first",
            middle("ours", "n_empty"),
            0,
            repeats=REPEATS,
        ),
        *later_acts(REPEATS if setting.is_full else 1),
    ]


def later_acts(repeats: int) -> list[Row]:
    """Return rows of what a person does once a volume is there."""
    rows = []
    for name in ("step", "zoom", "orbit", "to 3D"):
        ours, napari = (
            napari_lateness.middle(name, way, repeats)["late_ms"]
            for way in (True, False)
        )
        rows.append(
            at_most(
                "N1",
                f"the event loop late after one {name}, beyond napari alone",
                max(0.0, ours - napari),
                napari_lateness.LATER_MS,
                unit="ms",
                repeats=repeats,
                note=f"{ours:.0f} ms at most at a time against {napari:.0f} ms",
            )
        )
    return rows


def _pyramid(setting: Setting, edge: int) -> str:
    data = np.tile(light_sheet(256), (edge // 256,) * 3)
    levels = [data, halved(data), halved(halved(data))]
    return str(write_pyramid(setting.folder / f"{edge}.zarr", levels, 64))


def _environment(folder: str) -> dict[str, str]:
    """Return an environment in which the driver has compiled nothing yet."""
    return os.environ | {"MESA_SHADER_CACHE_DIR": folder}


def cpu_s(command: list[str]) -> float:
    """Run a program; return the seconds of all processors that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as cache:
        subprocess.run(
            command, cwd=ROOT, env=_environment(cache), check=True, capture_output=True
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def in_napari(what: str, path: str, **variables: str) -> dict[str, float]:
    """Do something in a napari of its own; return what came of it, or nothing."""
    with tempfile.TemporaryDirectory() as cache:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.cold_process", what, path],
            cwd=ROOT,
            env=_environment(cache) | variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    lines = done.stdout.strip().splitlines()
    return json.loads(lines[-1]) if done.returncode == 0 and lines else {}
