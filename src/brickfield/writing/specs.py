"""Array metadata of OME-Zarr 0.4 (zarr v2), 0.5 and 0.6 (zarr v3), for tensorstore.

Both write little-endian voxels in C order under keys with slashes; version 3
carries the names of the axes and may group chunks in shards.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brickfield.writing.level_plans import LevelPlan


def _fill_json(value: float, dtype: np.dtype[np.generic]) -> Any:
    if dtype.kind == "b":
        return bool(value)
    if dtype.kind != "f":
        return int(value)
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value)


def array_spec(
    plan: LevelPlan, dtype: np.dtype[np.generic], header: dict[str, Any]
) -> dict[str, Any]:
    """Return the tensorstore spec of an array of the version in `header`, without its place.

    Parameters
    ----------
    plan : LevelPlan
    dtype : np.dtype
        Of the stored voxels.
    header : dict
        ``version``, ``compressor`` and ``fill_value``.
    """
    make = zarr_v2 if header["version"] == "0.4" else zarr_v3
    return make(plan, dtype, header)


def zarr_v3(
    plan: LevelPlan, dtype: np.dtype[np.generic], header: dict[str, Any]
) -> dict[str, Any]:
    """Return the tensorstore spec of an array of OME-Zarr 0.5 and 0.6.

    Parameters
    ----------
    plan : LevelPlan
    dtype : np.dtype
        Of the stored voxels.
    header : dict
        ``compressor`` and ``fill_value``, as in ``stored_level``.
    """
    codecs: list[dict[str, Any]] = [
        {"name": "bytes", "configuration": {"endian": "little"}}
    ]
    if dtype.itemsize == 1:
        codecs = [{"name": "bytes"}]
    if header["compressor"] == "zstd":
        codecs.append(
            {"name": "zstd", "configuration": {"level": 1, "checksum": False}}
        )
    elif header["compressor"] == "blosc":
        codecs.append({"name": "blosc", "configuration": _blosc(dtype, "shuffle")})
    if plan.write_shape != plan.chunk_shape:
        inner = {
            "chunk_shape": plan.chunk_shape,
            "codecs": codecs,
            "index_codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}},
                {"name": "crc32c"},
            ],
        }
        codecs = [{"name": "sharding_indexed", "configuration": inner}]
    metadata = {
        "shape": plan.shape,
        "data_type": dtype.name,
        "chunk_grid": {
            "name": "regular",
            "configuration": {"chunk_shape": plan.write_shape},
        },
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "codecs": codecs,
        "fill_value": _fill_json(header["fill_value"], dtype),
        "dimension_names": header["names"],
    }
    return {"driver": "zarr3", "metadata": metadata}


def zarr_v2(
    plan: LevelPlan, dtype: np.dtype[np.generic], header: dict[str, Any]
) -> dict[str, Any]:
    """Return the tensorstore spec of an array of OME-Zarr 0.4.

    Parameters
    ----------
    plan : LevelPlan
    dtype : np.dtype
        Of the stored voxels.
    header : dict
        ``compressor`` and ``fill_value``, as in ``stored_level``.
    """
    compressor: dict[str, Any] | None = None
    if header["compressor"] == "zstd":
        compressor = {"id": "zstd", "level": 1}
    elif header["compressor"] == "blosc":
        compressor = {"id": "blosc", **_blosc(dtype, 1)}
        compressor.pop("typesize")
    metadata = {
        "shape": plan.shape,
        "chunks": plan.chunk_shape,
        "dtype": dtype.newbyteorder("<").str,
        "compressor": compressor,
        "fill_value": _fill_json(header["fill_value"], dtype),
        "dimension_separator": "/",
        "order": "C",
        "filters": None,
    }
    return {"driver": "zarr", "metadata": metadata}


def _blosc(dtype: np.dtype[np.generic], shuffle: str | int) -> dict[str, Any]:
    return {
        "cname": "zstd",
        "clevel": 1,
        "shuffle": shuffle,
        "typesize": dtype.itemsize,
        "blocksize": 0,
    }
