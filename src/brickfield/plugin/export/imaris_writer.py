"""Saving layers from napari's File menu as the channels of one Imaris file.

Layers of one shape become one image: voxel size and place are those of the first one,
names, colours and contrast limits those of each. The file is made in a folder beside
its final place, which goes with whatever a save leaves behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from brickfield.errors import StoreWriteError
from brickfield.plugin.saving import save_beside
from brickfield.qt import RunningTask

N_WORKERS = 1
"""The window needs a core and Python's interpreter, as while a pyramid is saved."""
_TAKEN = (
    "scale",
    "translate",
    "rotate",
    "shear",
    "affine",
    "units",
    "contrast_limits",
    "colormap",
    "rgb",
)
LayerData = tuple[Any, Mapping[str, Any], str]


def write_imaris(path: str, layers: Sequence[LayerData]) -> list[str]:
    """Write layers as the channels of one file; called by napari.

    Parameters
    ----------
    path : str
        Ends in ``.ims``.
    layers : sequence of (data, dict, str)
        Layers of images and labels, as napari describes them.

    Returns
    -------
    list of str
        The path; nothing when the save was cancelled.

    Raises
    ------
    StoreWriteError
        In one sentence; nothing is under the final name then.
    """
    described = [as_layer(*layer) for layer in layers]

    def write(beside: Path, running: RunningTask) -> bool:
        from brickfield.imaris import to_imaris

        with TemporaryDirectory(dir=beside.parent, prefix=f"{beside.name}-") as folder:
            made = Path(folder, f"{Path(path).stem}.ims")
            result = to_imaris(
                described,
                made,
                name=Path(path).stem,
                workers=N_WORKERS,
                progress=running.tell,
                cancel=running.cancelled,
            )
            if result.is_complete:
                made.rename(beside)
        return result.is_complete

    if not path.lower().endswith(".ims"):
        msg = (
            f"expected a name that ends in .ims; found {Path(path).name!r}: write .ims,"
            " or choose another type of file (OME-Zarr takes one layer, a session all)"
        )
        raise StoreWriteError(msg)
    return save_beside(f"Saving {Path(path).name}", path, write)


def as_layer(data: Any, meta: Mapping[str, Any], kind: str) -> SimpleNamespace:
    """Return an object with what an export needs of a layer.

    Parameters
    ----------
    data : array or list of arrays
    meta : mapping
        As napari hands it to writers.
    kind : str
        "image" or "labels".
    """
    found = {name: meta[name] for name in _TAKEN if meta.get(name) is not None}
    colors = found.pop("colormap", None)
    if isinstance(colors, Mapping):
        colors = SimpleNamespace(**colors)
    if kind == "labels":
        found["selected_label"] = 1
    n = data[0].ndim if meta.get("multiscale") else data.ndim
    n -= bool(meta.get("rgb"))
    return SimpleNamespace(
        data=data,
        multiscale=bool(meta.get("multiscale")),
        name=str(meta.get("name", kind)),
        colormap=colors,
        **({"scale": (1.0,) * n, "translate": (0.0,) * n} | found),
    )
