"""The pages of the documentation, and what they tell a reader to type."""

from __future__ import annotations

import re
from pathlib import Path

import h5py
import numpy as np

from brickfield.sample import Grid, write_sample
from brickfield.testing.mib import write_hdr, write_mib
from brickfield.testing.zarr_stores import write_group, write_image, write_plate

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
VIEWER = re.compile(r"\bviewer\b")


def blocks(path: Path, language: str) -> list[str]:
    """Return the blocks of a page in a language."""
    text = path.read_text(encoding="utf-8")
    return [body for kind, body in FENCE.findall(text) if kind == language]


def needs_window(path: Path) -> bool:
    """Whether the Python of a page speaks of napari's viewer."""
    return any(VIEWER.search(body) for body in blocks(path, "python"))


def run_python(path: Path, names: dict) -> None:
    """Run the blocks of a page one after the other."""
    for body in blocks(path, "python"):
        exec(compile(body, str(path), "exec"), names)


def write_data(folder: Path) -> Path:
    """Write what the pages speak of: data.ome.zarr, stack.h5, project.xml, …."""
    write_sample(folder / "data.ome.zarr", Grid((48, 96, 96), (2.0, 1.0, 1.0)))
    with h5py.File(folder / "stack.h5", "w") as file:
        file["volume"] = np.arange(32**3, dtype=np.uint16).reshape(32, 32, 32)
    write_plate(folder / "plate.zarr", ("A/1", "A/2", "B/02"), 1)
    write_scan(folder)
    write_project(folder)
    write_scene(folder / "scene.ome.zarr")
    (folder / "points.json").write_text("[[0, 1, 2], [3.5, 4, 5]]")
    return folder


def write_scan(folder: Path) -> None:
    """Write scan.mib with its scan.hdr: discs that wander over the detector."""
    y, x = np.mgrid[:64, :64]
    frames = np.zeros((12, 16, 64, 64), np.uint16)
    for line in range(12):
        for position in range(16):
            d2 = (y - 28 - line / 2) ** 2 + (x - 28 - position / 2) ** 2
            frames[line, position] = np.where(d2 < 60, 900 + 10 * line, d2 % 7)
    write_hdr(folder / "scan.hdr", ScanX=16, ScanY=12)
    write_mib(folder / "scan.mib", frames.reshape(-1, 64, 64))


def write_project(folder: Path) -> None:
    """Write project.xml with project.h5: one volume seen from two angles."""
    volume = np.arange(24 * 30 * 36, dtype=np.uint16).reshape(24, 30, 36)
    with h5py.File(folder / "project.h5", "w") as file:
        for setup in range(2):
            file[f"s{setup:02d}/resolutions"] = np.array([[1.0, 1, 1]])
            file[f"t00000/s{setup:02d}/0/cells"] = volume.astype(np.int16)
    maps = {
        "angle 0": "1 0 0 0 0 1 0 0 0 0 1 0",
        "angle 90": "0 0 1 5 0 1 0 0 -1 0 0 30",
    }
    setups = "".join(
        f"<ViewSetup><id>{i}</id><name>{name}</name><size>36 30 24</size></ViewSetup>"
        for i, name in enumerate(maps)
    )
    places = "".join(
        f'<ViewRegistration timepoint="0" setup="{i}"><ViewTransform type="affine">'
        f"<affine>{text}</affine></ViewTransform></ViewRegistration>"
        for i, text in enumerate(maps.values())
    )
    (folder / "project.xml").write_text(
        '<SpimData version="0.2"><BasePath type="relative">.</BasePath>'
        '<SequenceDescription><ImageLoader format="bdv.hdf5">'
        '<hdf5 type="relative">project.h5</hdf5></ImageLoader>'
        f'<ViewSetups>{setups}</ViewSetups><Timepoints type="range"><first>0</first>'
        "<last>0</last></Timepoints></SequenceDescription>"
        f"<ViewRegistrations>{places}</ViewRegistrations></SpimData>"
    )


def write_scene(folder: Path) -> None:
    """Write an OME-Zarr 0.6 scene of four tiles in a row."""
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    steps = [
        {
            "type": "translation",
            "translation": [0, 0, 30 * i],
            "input": {"path": f"tile_{i}", "name": "physical"},
            "output": {"name": "world"},
        }
        for i in range(4)
    ]
    scene = {
        "coordinateSystems": [{"name": "world", "axes": axes}],
        "coordinateTransformations": steps,
    }
    write_group(folder, {"ome": {"version": "0.6", "scene": scene}}, zarr_format=3)
    level = {"type": "identity", "input": {"path": "0"}, "output": {"name": "physical"}}
    image = {
        "coordinateSystems": [{"name": "physical", "axes": axes}],
        "datasets": [{"path": "0", "coordinateTransformations": [level]}],
    }
    volume = np.arange(24 * 30 * 36, dtype=np.uint16).reshape(24, 30, 36)
    for i in range(4):
        ome = {"version": "0.6", "multiscales": [image]}
        write_image(folder / f"tile_{i}", [volume], {"ome": ome}, zarr_format=3)
