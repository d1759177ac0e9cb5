"""Small zarr and OME-Zarr stores, written by zarr-python for tests.

The writer is not the reader: brickfield reads with tensorstore, so a store that
reads back equal is right for two libraries.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Json = dict[str, Any]


def write_array(
    folder: Path,
    data: NDArray[Any],
    *,
    chunks: Sequence[int] | None = None,
    zarr_format: int = 2,
    **options: Any,
) -> None:
    """Write an array, any shape, with its chunks in nested folders.

    Parameters
    ----------
    folder : Path
    data : ndarray
    chunks : sequence of int, optional
        Default: half of every axis.
    zarr_format : int
    **options
        To ``zarr.create_array``: ``shards``, ``compressors``, ``filters``, …
    """
    import zarr

    shape = tuple(chunks or [max(1, (n + 1) // 2) for n in data.shape])
    if zarr_format == 2:
        options.setdefault("chunk_key_encoding", {"name": "v2", "separator": "/"})
    array = zarr.create_array(
        folder,  # a path: of a text newer versions cut what follows a "#"
        shape=data.shape,
        dtype=data.dtype,
        chunks=shape,
        zarr_format=zarr_format,  # type: ignore[arg-type]
        overwrite=True,
        **{"fill_value": 0, **options},
    )
    array[...] = data


def write_group(folder: Path, attributes: Json, *, zarr_format: int = 2) -> None:
    """Write the metadata of a group with these attributes, unchanged.

    Parameters
    ----------
    folder : Path
    attributes : Json
    zarr_format : int
    """
    folder.mkdir(parents=True, exist_ok=True)
    if zarr_format == 3:
        document = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
        (folder / "zarr.json").write_text(json.dumps(document))
        return
    (folder / ".zgroup").write_text('{"zarr_format": 2}')
    (folder / ".zattrs").write_text(json.dumps(attributes))


def image_attributes(
    axes: str = "zyx",
    scales: Sequence[Sequence[float]] = ((1, 1, 1),),
    *,
    version: str = "0.4",
    translations: Sequence[Sequence[float] | None] = (),
    **further: Any,
) -> Json:
    """Make the attributes of an image of version 0.4 or 0.5.

    Parameters
    ----------
    axes : str
        One letter per axis.
    scales, translations : sequence
        One for each level.
    **further
        Members beside ``multiscales``, for example ``omero``.
    """
    kinds = {"t": "time", "c": "channel"}
    datasets = []
    for i, scale in enumerate(scales):
        transforms: list[Json] = [{"type": "scale", "scale": list(scale)}]
        shift = translations[i] if i < len(translations) else None
        if shift is not None:
            transforms.append({"type": "translation", "translation": list(shift)})
        datasets.append({"path": str(i), "coordinateTransformations": transforms})
    image = {
        "version": version,
        "name": "image",
        "axes": [{"name": a, "type": kinds.get(a, "space")} for a in axes],
        "datasets": datasets,
    }
    if version == "0.4":
        return {"multiscales": [image], **further}
    image.pop("version")
    return {"ome": {"version": version, "multiscales": [image], **further}}


def write_image(
    folder: Path,
    levels: Sequence[NDArray[Any]],
    attributes: Json | None = None,
    *,
    zarr_format: int = 2,
    **options: Any,
) -> Path:
    """Write an image with levels named 0, 1, …; return its folder.

    Parameters
    ----------
    folder : Path
    levels : sequence of ndarray
        Finest first.
    attributes : dict, optional
        Of the group; default: axes by rank, scales by shape.
    **options
        To :func:`write_array`.
    """
    if attributes is None:
        first = levels[0].shape
        scales = [
            [a / b for a, b in zip(first, lv.shape, strict=True)] for lv in levels
        ]
        version = "0.4" if zarr_format == 2 else "0.5"
        axes = "tczyx"[-len(first) :]
        attributes = image_attributes(axes, scales, version=version)
    write_group(folder, attributes, zarr_format=zarr_format)
    for i, level in enumerate(levels):
        write_array(folder / str(i), level, zarr_format=zarr_format, **options)
    return folder


def ramp(
    shape: Sequence[int], dtype: Any = "uint16", seed: int = 0
) -> NDArray[np.generic]:
    """Return voxels without symmetry, never 0, of any real type.

    Parameters
    ----------
    shape : sequence of int
        Voxels.
    dtype
    seed : int
        Of the random numbers.

    Returns
    -------
    ndarray, shape `shape`
    """
    kind = np.dtype(dtype)
    noise = np.random.default_rng(seed).integers(1, 120, tuple(shape))
    return noise.astype(bool if kind == np.dtype(bool) else kind)


def write_plate(
    root: Path,
    wells: Sequence[str] = ("A/1", "B/02"),
    n_fields: int = 2,
    *,
    absent: Sequence[str] = (),
) -> Path:
    """Write a plate whose field f of well w holds 10 w + f + 1 everywhere.

    Parameters
    ----------
    root : Path
    wells : sequence of str
        Row and column each, as the plate lists them.
    n_fields : int
        Fields of 8 x 8 voxels per well.
    absent : sequence of str
        Wells that are listed, but have no folder.
    """
    rows = dict.fromkeys(path.partition("/")[0] for path in wells)
    columns = dict.fromkeys(path.partition("/")[2] for path in wells)
    listed = [
        {
            "path": path,
            "rowIndex": list(rows).index(path.partition("/")[0]),
            "columnIndex": list(columns).index(path.partition("/")[2]),
        }
        for path in wells
    ]
    about = {"name": root.stem, "version": "0.4", "wells": listed}
    about |= {"rows": [{"name": n} for n in rows]}
    about |= {"columns": [{"name": n} for n in columns]}
    write_group(root, {"plate": about})
    fields = [{"path": str(f)} for f in range(n_fields)]
    for w, well in enumerate(wells):
        if well in absent:
            continue
        write_group(root / well, {"well": {"images": fields, "version": "0.4"}})
        for f in range(n_fields):
            data = np.full((8, 8), 10 * w + f + 1, "u2")
            look = image_attributes("yx", [[1, 1]])
            write_image(root / well / str(f), [data], look)
    return root
