"""``brickfield.to_imaris`` and ``brickfield export-imaris``: the one call behind both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

from brickfield.blockwise import Progress
from brickfield.imaris.export import export
from brickfield.imaris.options import Color, ImarisOptions, Region, Window
from brickfield.imaris.result import ImarisResult


def to_imaris(  # noqa: PLR0913 -- one keyword for each option of the command
    source: Any,
    path: str | Path,
    *,
    spacing: Sequence[float] | None = None,
    units: str = "um",
    channel_names: Sequence[str] | None = None,
    colors: Sequence[Color] | None = None,
    windows: Sequence[Window] | None = None,
    times: Sequence[float | datetime] | None = None,
    name: str | None = None,
    description: str = "",
    axes: str | None = None,
    channels: Sequence[int] | None = None,
    time_points: Sequence[int] | None = None,
    level: int = 0,
    region: Region | None = None,
    levels: int | None = None,
    chunks: str | Sequence[int] | None = None,
    compression: str = "gzip",
    compression_opts: int | None = None,
    shuffle: bool = False,
    dtype: str = "auto",
    budget: str | int = "512 MiB",
    workers: int | None = None,
    scheduler: str | None = None,
    tmp_dir: str | Path | None = None,
    bdv_xml: bool = False,
    verify: bool = False,
    overwrite: bool = False,
    restart: bool = False,
    skip_failed: bool = False,
    opening: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> ImarisResult:
    """Write an Imaris file (``.ims``) from an image of any size.

    All levels of a time point and channel are made in one pass over the source, in
    memory bounded by `budget`. The file is written under another name and renamed when
    it is whole; after a kill the same call goes on.

    Parameters
    ----------
    source : str, Path, store, source, array, list of levels, layer or list of layers
        Address of anything that :func:`brickfield.open_store` opens, an open store, a
        numpy, dask or zarr array (levels of a list from fine to coarse; the finest is
        written), a layer of napari, or several of one shape, which become channels.
    path : str or Path
        File to write, ending in ``.ims``.
    spacing : sequence of float, optional
        Voxel size (z, y, x) in `units`, instead of the source's.
    units : str
        Unit of `spacing`, and of sources that name none: nm, um, mm, m.
    channel_names : sequence of str, optional
    colors : sequence of str or (r, g, b), optional
        Names, ``"#ff00ff"`` or three numbers from 0 to 1 (or to 255).
    windows : sequence of (low, high), optional
        Values drawn as black and as the whole colour, in values of the source; by
        default the source's own, else what leaves out a thousandth at either end.
    times : sequence of float or datetime, optional
        Seconds from the start of the recording, or dates; rising, one per time point.
    name, description : str, optional
    axes : str, optional
        Axis names instead of the source's, for example ``"tczyx"``, in any order.
    channels, time_points : sequence of int, optional
        What is written, in this order; all by default.
    level : int
        Of the source, to begin with.
    region : str or sequence, optional
        ``"Z0:Z1,Y0:Y1,X0:X1"``, pairs or slices, in voxels of that level.
    levels : int, optional
        Levels in all; by default until one fits in 1 MiB.
    chunks : str or sequence of int, optional
        Storage chunk (z, y, x) of all levels; by default Imaris' own choice of 1 MiB.
    compression : {"gzip", "lz4", "none"}
    compression_opts : int, optional
        Level of gzip, 0 to 9.
    shuffle : bool
        Sort bytes before compression: smaller and faster, for Imaris 9.6 and later.
    dtype : {"auto", "uint8", "uint16", "float32"}
        What values are written as. "auto" keeps every value, or refuses.
    budget : str or int
        Memory for the work.
    workers : int, optional
        Threads; one per core if not given.
    scheduler : str, optional
        Address of a dask scheduler whose workers read and decode the source,
        ``"tcp://host:port"``; one process writes the file in any case. They have to
        reach the source by its address.
    tmp_dir : str or Path, optional
        For intermediate data, where they are needed; beside the target if not given.
    bdv_xml : bool
        Write ``NAME.xml`` too, by which BigDataViewer opens the file.
    verify : bool
        Read back every chunk instead of some.
    overwrite : bool
        Replace an existing file.
    restart : bool
        Do not go on with an interrupted run.
    skip_failed : bool
        Put the fill value where the source cannot be read, and finish.
    opening : mapping, optional
        How addresses are opened, as for :func:`brickfield.open_store`.
    progress : callable, optional
        Told (blocks done, blocks in all, bytes made, seconds left or None), on this
        thread.
    cancel : Event, optional
        Set it, from any thread, to stop after the block that each worker is at; the
        same call goes on later.

    Returns
    -------
    ImarisResult
        Not complete when it was cancelled.

    Raises
    ------
    OptionError
        When an option cannot be used, values do not fit, or something is in the way.
    BudgetError
        When the budget does not hold the smallest piece.
    ChunkReadError
        When the source cannot be read; it names the place.
    StoreWriteError
        When there is no room or no right to write.

    Examples
    --------
    >>> import numpy as np, tempfile, brickfield as bf
    >>> folder = tempfile.TemporaryDirectory()
    >>> image = np.arange(4 * 32 * 32, dtype=np.uint16).reshape(4, 32, 32)
    >>> result = bf.to_imaris(image, f"{folder.name}/a.ims", spacing=(2, 0.5, 0.5))
    >>> result.shape, result.dtype, result.is_complete
    ((1, 1, 4, 32, 32), 'uint16', True)
    """
    options = ImarisOptions(
        spacing=spacing,
        units=units,
        channel_names=channel_names,
        colors=colors,
        windows=windows,
        times=times,
        name=name,
        description=description,
        axes=axes,
        channels=channels,
        time_points=time_points,
        level=level,
        region=region,
        levels=levels,
        chunks=chunks,
        compression=compression,
        compression_opts=compression_opts,
        shuffle=shuffle,
        dtype=dtype,
        budget=budget,
        workers=workers,
        scheduler=scheduler,
        tmp_dir=None if tmp_dir is None else str(tmp_dir),
        bdv_xml=bdv_xml,
        verify=verify,
        overwrite=overwrite,
        restart=restart,
        skip_failed=skip_failed,
        opening=opening,
    )
    return export(source, path, options, progress, cancel)
