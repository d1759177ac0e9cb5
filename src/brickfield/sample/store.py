"""The sample as an OME-Zarr pyramid on disk, made once.

A folder that has the sample's name holds the whole sample: it is written under
another name first. Its voxels are twice as long along z, so the first level
halves y and x alone: factors differ between levels and axes, as in real images.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from brickfield.blockwise import Progress
from brickfield.errors import OptionError
from brickfield.model import Axis, Channel
from brickfield.pyramid import write_pyramid
from brickfield.sample.tissue import Grid, tissue
from brickfield.sources import from_arrays

NAME = "sample-1.ome.zarr"
"""With a number that changes when the sample does."""
GRID = Grid((192, 384, 384), (0.5, 0.25, 0.25))
CHANNELS = (
    Channel("nuclei", (86, 180, 233), (150.0, 6000.0)),
    Channel("vessels", (230, 159, 0), (150.0, 4200.0)),
)


def ensure_sample(folder: Path, *, progress: Progress | None = None) -> Path:
    """Return the sample in a folder, writing it if it is not there.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    progress : callable, optional
        Told how far the writing is.

    Returns
    -------
    Path
        The OME-Zarr group.

    Raises
    ------
    OptionError
        When the folder cannot be written.
    """
    target = folder / NAME
    if target.is_dir():
        return target
    unfinished = folder / f".{NAME}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(unfinished, ignore_errors=True)
        write_sample(unfinished, progress=progress)
        unfinished.rename(target)
    except OSError as error:
        msg = f"expected to write the sample into {folder}; the system says: {error}"
        raise OptionError(msg) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return target


def write_sample(
    path: Path, grid: Grid = GRID, *, progress: Progress | None = None
) -> None:
    """Compute the sample and write it as a pyramid of means.

    Parameters
    ----------
    path : Path
        New folder.
    grid : Grid
    progress : callable, optional
        Told how far the writing is.
    """
    space = [Axis(name, "space", "micrometer") for name in "zyx"]
    source = from_arrays(
        tissue(grid),
        axes=[Axis("c", "channel"), *space],
        scale=grid.voxel_size,
        name="sample",
    )
    source.info = replace(source.info, channels=CHANNELS)
    write_pyramid(source, path, progress=progress)
