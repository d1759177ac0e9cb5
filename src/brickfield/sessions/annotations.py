"""Points, shapes, tracks and so on, in groups of arrays below ``annotations/``.

Values are told by JSON in the group's attributes, numpy arrays by the name of an
array in the group. What neither can hold (functions, objects of other programs) is
left out and named; nothing that is read makes code run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import BrickfieldError, StoreFormatError
from brickfield.sessions.contents import Annotation
from brickfield.sessions.document import KEY, SessionAnnotation
from brickfield.sources.io import read_whole
from brickfield.writing import described_level as stored_level
from brickfield.writing import write_group
from brickfield.writing.level_plans import LevelPlan

FOLDER = "annotations"
_MARK = "$array"
_TUPLE = "$tuple"
_PAIRS = "$pairs"
_CHUNK = 1 << 20
"""Most elements of a storage chunk."""
_LEFT_OUT = object()


def write_annotation(
    one: Annotation, root: Path, number: int, version: str
) -> SessionAnnotation:
    """Write one layer; return what the session's document says of it.

    Parameters
    ----------
    one : Annotation
    root : Path
        Of the session.
    number : int
        Of the group.
    version : {"0.5", "0.4"}
    """
    folder = root / FOLDER / str(number)
    writer = _Writer(folder, version)
    data = writer.plain(one.data, "data")
    details = writer.plain(dict(one.details), "")
    write_group(root / FOLDER, version, {}, syncs=False)
    private = {KEY: {"data": data, "details": details, "type": one.type}}
    write_group(folder, version, {}, private, syncs=False)
    return SessionAnnotation(
        name=one.name,
        type=one.type,
        path=f"{FOLDER}/{number}",
        position=one.position,
        left_out=tuple(sorted(set(writer.left_out))),
    )


class _Writer:
    """Turns values into JSON, and arrays into arrays on disk."""

    def __init__(self, folder: Path, version: str) -> None:
        self._folder, self._version, self._n = folder, version, 0
        self.left_out: list[str] = []

    def plain(self, value: Any, place: str) -> Any:
        """Return a value as JSON has it; what it cannot have is left out."""
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufU":
            return self._array(value)
        if isinstance(value, np.ndarray | np.generic):
            value = value.tolist()
        if isinstance(value, list | tuple):
            return self._many(value, place)
        if isinstance(value, Mapping):
            return self._pairs(value, place)
        if isinstance(value, float) and not np.isfinite(value):
            return {"$number": repr(value)}
        if value is None or isinstance(value, bool | str | int | float):
            return value
        self.left_out.append(place)
        return _LEFT_OUT

    def _many(self, values: Any, place: str) -> Any:
        made = [self.plain(v, f"{place}[{i}]") for i, v in enumerate(values)]
        kept = [None if v is _LEFT_OUT else v for v in made]
        return {_TUPLE: kept} if isinstance(values, tuple) else kept

    def _pairs(self, values: Mapping[Any, Any], place: str) -> Any:
        pairs = []
        for key, value in values.items():
            inner = self.plain(value, f"{place}.{key}".lstrip("."))
            name = self.plain(key, place)
            if inner is not _LEFT_OUT and name is not _LEFT_OUT:
                pairs.append([name, inner])
        if all(isinstance(k, str) and not k.startswith("$") for k, _ in pairs):
            return dict(pairs)
        return {_PAIRS: pairs}

    def _array(self, value: NDArray[Any]) -> Any:
        if value.dtype.kind == "U" or value.size == 0 or value.ndim == 0:
            what = str(value.dtype) if value.dtype.kind != "U" else "str"
            return {"$list": value.tolist(), "shape": list(value.shape), "type": what}
        name = f"a{self._n}"
        self._n += 1
        native = np.ascontiguousarray(value, value.dtype.newbyteorder("="))
        inner = max(1, int(np.prod(native.shape[1:])))
        chunk = (max(1, min(len(native), _CHUNK // inner)), *native.shape[1:])
        ones = (1,) * native.ndim
        floats = (1.0,) * native.ndim
        plan = LevelPlan(name, native.shape, floats, floats, ones, chunk, chunk)
        header = {
            "version": self._version,
            "compressor": "zstd",
            "fill_value": 0,
            "names": [f"dim_{i}" for i in range(native.ndim)],
            "run": str(self._folder),
            "syncs": False,
        }
        self._folder.mkdir(parents=True, exist_ok=True)
        stored = stored_level(self._folder, plan, native.dtype, header)
        stored.create()
        stored.write(tuple(slice(0, n) for n in native.shape), native)
        return {_MARK: name}


def read_annotation(root: Path, about: SessionAnnotation) -> Annotation:
    """Read one annotation layer.

    Parameters
    ----------
    root : Path
        Folder of the session.
    about : SessionAnnotation
        Its entry in the document.

    Raises
    ------
    StoreFormatError
        When its arrays or values are not what was written.
    """
    folder = root / about.path
    try:
        is_new = (folder / "zarr.json").exists()
        text = read_whole(folder / ("zarr.json" if is_new else ".zattrs"))
        found = json.loads(text)
        kept = (found["attributes"] if is_new else found)[KEY]
        data = _value(kept["data"], folder)
        details = dict(_value(kept["details"], folder))
    except BrickfieldError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        msg = f"expected the layer {about.name!r} in {folder}; found: {error!r:.120}"
        raise StoreFormatError(msg) from error
    return Annotation(about.name, about.type, data, details, about.position)


def _value(plain: Any, folder: Path) -> Any:
    if isinstance(plain, list):
        return [_value(v, folder) for v in plain]
    if not isinstance(plain, dict):
        return plain
    mark = next((key for key in plain if key in _READ), None)
    if mark is not None:
        return _READ[mark](plain, folder)
    return {k: _value(v, folder) for k, v in plain.items()}


def _tuple(plain: dict[str, Any], folder: Path) -> tuple[Any, ...]:
    return tuple(_value(v, folder) for v in plain[_TUPLE])


def _mapping(plain: dict[str, Any], folder: Path) -> dict[Any, Any]:
    return {_value(k, folder): _value(v, folder) for k, v in plain[_PAIRS]}


def _listed(plain: dict[str, Any], _folder: Path) -> NDArray[Any]:
    dtype = np.dtype(plain["type"])
    return np.array(plain["$list"], dtype).reshape(plain["shape"])


def _read_array(plain: dict[str, Any], folder: Path) -> NDArray[Any]:
    import tensorstore as ts

    name = plain[_MARK]
    if not (isinstance(name, str) and name.isidentifier()):
        msg = f"expected the name of an array in {folder}; found {name!r:.40}"
        raise StoreFormatError(msg)
    is_new = (folder / name / "zarr.json").exists()
    place = {"driver": "file", "path": f"{folder.resolve() / name}/"}
    spec = {"driver": "zarr3" if is_new else "zarr", "kvstore": place}
    return np.array(ts.open(spec, read=True).result().read().result())


_READ = {
    _MARK: _read_array,
    _TUPLE: _tuple,
    _PAIRS: _mapping,
    "$number": lambda plain, _folder: float(plain["$number"]),
    "$list": _listed,
}
