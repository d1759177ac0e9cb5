"""Writes scans in the layouts of EMD that programs write, for tests of readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAMES = ("R_x", "R_y", "Q_x", "Q_y")
UNITS = ("[n_m]", "[n_m]", "[n_m^-1]", "[n_m^-1]")
STEPS = (0.5, 0.25, 0.01, 0.02)
LAYOUTS = ("emd 1.0", "py4DSTEM", "version_1", "Prismatic", "Berkeley")
_TOPS = {
    "py4DSTEM": "4DSTEM_experiment/data/datacubes/datacube_0",
    "version_1": "version_1/data/datacubes/datacube_000",
    "Prismatic": "4DSTEM_simulation/data/datacubes/CBED_array_depth0000",
    "Berkeley": "signals/scan",
}


def write_emd(
    path: Path,
    scan: NDArray[Any],
    layout: str = "version_1",
    *,
    names: Sequence[str] = NAMES,
    units: Sequence[str] = UNITS,
    **storage: Any,
) -> Path:
    """Write a scan.

    Parameters
    ----------
    path : Path
    scan : ndarray
        Four axes or five.
    layout : str
        One of :data:`LAYOUTS`.
    names, units : sequence of str
        Of the vectors.
    **storage
        Chunks and filters of the dataset, as h5py takes them.

    Returns
    -------
    Path
        `path`. The scan has shape (y, x, rows, columns), or one axis more.
    """
    import h5py

    with h5py.File(path, "w") as file:
        if layout == "emd 1.0":
            file.attrs.update({"emd_group_type": "file", "version_major": 1})
            group = file.create_group("scan_root/datacube")
            group.parent.attrs["emd_group_type"] = "root"
            group.attrs["emd_group_type"] = "array"
        else:
            group = file.create_group(_TOPS[layout])
            group.attrs["emd_group_type"] = 1
            top = file[_TOPS[layout].split("/")[0]]
            where = file if layout == "Berkeley" else top
            where.attrs.update({"version_major": 0, "version_minor": 2})
        name = "datacube" if layout == "Prismatic" else "data"
        group.create_dataset(name, data=scan, **storage)
        first = 0 if layout == "emd 1.0" else 1
        rest = scan.ndim - len(names)
        for i, (axis, unit) in enumerate(zip(names, units, strict=True)):
            n = 2 if layout == "emd 1.0" else scan.shape[i + rest]
            vector = np.arange(n) * STEPS[i % 4] + 1.0
            dim = group.create_dataset(f"dim{i + first + rest}", data=vector)
            dim.attrs.update({"name": axis, "units": unit})
    return path
