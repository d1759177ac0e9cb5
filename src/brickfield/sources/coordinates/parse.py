"""Transformations of OME-Zarr 0.6 as affine maps.

Kinds: identity, scale, translation, rotation, affine, mapAxis, sequence,
byDimension, bijection and inverse, with numbers in the metadata or in an array
(``path``). Displacement and coordinate fields and projections of axes are refused
by name. The text that defines them: https://ngff.openmicroscopy.org/0.6/,
"coordinateTransformations"; where releases and drafts spell a field in two ways,
both are read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brickfield.errors import StoreFormatError
from brickfield.sources.coordinates import affine_map
from brickfield.sources.coordinates.affine_map import F64

Json = dict[str, Any]
ReadArray = Callable[[str], Any]
"""Reads the array at a path inside the store."""
MOST_AXES = 32
_FIELDS = ("displacements", "coordinates")
_PROJECTIONS = ("projectAxis", "projectAxes", "projection")
_DEEPEST = 32


@dataclass(frozen=True)
class Ways:
    """A transformation there and back.

    Attributes
    ----------
    forward : ndarray, shape (m, n + 1)
        From the n axes of its input to the m axes of its output.
    backward : ndarray, shape (n, m + 1), or None
        None where there is no way back.
    """

    forward: F64
    backward: F64 | None

    @property
    def reversed(self) -> Ways | None:
        """The same from output to input."""
        return None if self.backward is None else Ways(self.backward, self.forward)


@dataclass(frozen=True)
class Ends:
    """Names of the axes on both ends, as far as they are known.

    Attributes
    ----------
    n_inputs : int
        Axes that the transformation starts from.
    inputs, outputs : tuple of str
        Names of axes; empty where they are not known.
    """

    n_inputs: int
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


class TransformParser:
    """Reads single transformations.

    Parameters
    ----------
    read_array : callable, optional
        Returns the numbers of the array at a path inside the store; without it a
        transformation whose numbers lie in an array is refused.
    """

    def __init__(self, read_array: ReadArray | None = None) -> None:
        self._read_array = read_array

    def parse(self, item: Any, ends: Ends, where: str) -> Ways:
        """Read one transformation.

        Parameters
        ----------
        item : object
            As stored.
        ends : Ends
        where : str
            Place in the metadata, for errors.

        Raises
        ------
        StoreFormatError
            If it is of another kind, or its numbers do not fit the axes.
        """
        return self._one(item, ends, where, 0)

    def _one(self, item: Any, ends: Ends, where: str, depth: int) -> Ways:
        if not isinstance(item, dict):
            raise _wrong(where, "an object with a type", item)
        if depth > _DEEPEST:
            raise _wrong(
                where, f"at most {_DEEPEST} transformations in one another", depth
            )
        kind = item.get("type")
        reader = _READERS.get(kind) if isinstance(kind, str) else None
        if reader is not None:
            return reader(self, item, ends, where, depth)
        if kind in _FIELDS:
            found = f"{kind}: a field of {kind} for every point"
            raise _wrong(where, "a transformation that a matrix can express", found)
        if kind in _PROJECTIONS:
            found = f"{kind}: a projection that adds or drops axes"
            raise _wrong(where, "a transformation that keeps all axes", found)
        raise _wrong(where, f"one of the types {', '.join(_READERS)}", kind)

    # -- numbers -----------------------------------------------------------------

    def _identity(self, item: Json, ends: Ends, where: str, depth: int) -> Ways:
        same = affine_map.identity(ends.n_inputs)
        return Ways(same, same)

    def _scale(self, item: Json, ends: Ends, where: str, depth: int) -> Ways:
        factors = self._vector(item, "scale", ends, where)
        if not factors.all():
            raise _wrong(f"{where}.scale", "numbers other than 0", factors.tolist())
        return _both(affine_map.scaled(factors.tolist()))

    def _translation(self, item: Json, ends: Ends, where: str, depth: int) -> Ways:
        offsets = self._vector(item, "translation", ends, where)
        return _both(affine_map.shifted(offsets.tolist()))

    def _rotation(self, item: Json, ends: Ends, where: str, depth: int) -> Ways:
        n = ends.n_inputs
        rows = self._numbers(item, "rotation", where)
        if rows.shape not in ((n, n), (n, n + 1)):
            raise _wrong(f"{where}.rotation", f"{n} rows of {n} numbers", _form(rows))
        if rows.shape == (n, n):
            rows = np.column_stack([rows, np.zeros(n)])
        return self._turned(rows, f"{where}.rotation")

    def _affine(self, item: Json, ends: Ends, where: str, depth: int) -> Ways:
        n = ends.n_inputs
        rows = self._numbers(item, "affine", where)
        if rows.ndim != 2 or rows.shape[1] != n + 1 or not len(rows):
            raise _wrong(
                f"{where}.affine", f"rows of {n + 1} numbers, for {n} axes", _form(rows)
            )
        if len(rows) == n + 1 and (rows[-1] == [*[0.0] * n, 1.0]).all():
            # The row of homogeneous coordinates, which some programs write too.
            rows = rows[:-1]
        return self._turned(rows, f"{where}.affine")

    def _turned(self, rows: F64, where: str) -> Ways:
        ways = _both(rows)
        is_square = rows.shape[0] == rows.shape[1] - 1
        if is_square and ways.backward is None:
            raise _wrong(where, "a matrix that can be inverted", rows.tolist())
        return ways

    def _map_axis(self, item: Json, ends: Ends, where: str, depth: int) -> Ways:
        listed, n = item.get("mapAxis"), ends.n_inputs
        if isinstance(listed, dict):  # drafts: name of output to name of input
            listed = [listed.get(name) for name in ends.outputs]
        order = self._axes(listed, ends.inputs, n, f"{where}.mapAxis")
        if sorted(order) != list(range(n)):
            raise _wrong(f"{where}.mapAxis", f"each axis of {n} once", listed)
        result = np.zeros((n, n + 1))
        result[range(n), order] = 1
        return _both(result)

    # -- transformations of transformations --------------------------------------

    def _sequence(self, item: Json, ends: Ends, where: str, depth: int) -> Ways:
        at = f"{where}.transformations"
        steps = item.get("transformations")
        if not isinstance(steps, list):
            raise _wrong(at, "a list", steps)
        forward = affine_map.identity(ends.n_inputs)
        backward: F64 | None = forward
        for i, step in enumerate(steps):
            inner = Ends(
                len(forward),
                ends.inputs if i == 0 else (),
                ends.outputs if i == len(steps) - 1 else (),
            )
            ways = self._one(step, inner, f"{at}[{i}]", depth + 1)
            forward = affine_map.then(forward, ways.forward)
            if backward is not None and ways.backward is not None:
                backward = affine_map.then(ways.backward, backward)
            else:
                backward = None
        return Ways(forward, backward)

    def _by_dimension(self, item: Json, ends: Ends, where: str, depth: int) -> Ways:
        at = f"{where}.transformations"
        parts = item.get("transformations")
        if not isinstance(parts, list) or not parts:
            raise _wrong(at, "a list with one entry or more", parts)
        found = [self._part(p, ends, f"{at}[{i}]", depth) for i, p in enumerate(parts)]
        outputs = [axis for part in found for axis in part.outputs]
        n_outputs = len(ends.outputs) or max(outputs, default=-1) + 1
        if sorted(outputs) != list(range(n_outputs)):
            raise _wrong(at, f"each of {n_outputs} output axes once", outputs)
        forward = np.zeros((n_outputs, ends.n_inputs + 1))
        for part in found:
            columns = [*part.inputs, ends.n_inputs]
            forward[np.ix_(part.outputs, columns)] = part.ways.forward
        return Ways(forward, _joined_back(found, ends.n_inputs, n_outputs))

    def _part(self, part: Any, ends: Ends, where: str, depth: int) -> _Part:
        if not isinstance(part, dict):
            raise _wrong(where, "an object", part)
        inner = part.get("transformation", part)
        taken = _either(part, "inputAxes", "input_axes")
        given = _either(part, "outputAxes", "output_axes")
        inputs = self._axes(taken, ends.inputs, ends.n_inputs, f"{where}.inputAxes")
        outputs = self._axes(given, ends.outputs, MOST_AXES, f"{where}.outputAxes")
        ways = self._one(inner, Ends(len(inputs)), where, depth + 1)
        if len(ways.forward) != len(outputs):
            raise _wrong(f"{where}.outputAxes", f"{len(ways.forward)} axes", given)
        return _Part(inputs, outputs, ways)

    def _bijection(self, item: Json, ends: Ends, where: str, depth: int) -> Ways:
        forward = self._one(item.get("forward"), ends, f"{where}.forward", depth + 1)
        turned = Ends(len(forward.forward), ends.outputs, ends.inputs)
        back = self._one(item.get("inverse"), turned, f"{where}.inverse", depth + 1)
        if len(back.forward) != ends.n_inputs:
            raise _wrong(f"{where}.inverse", f"{ends.n_inputs} axes", len(back.forward))
        return Ways(forward.forward, back.forward)

    def _inverse(self, item: Json, ends: Ends, where: str, depth: int) -> Ways:
        inner = _either(item, "transformation", "transform")
        turned = Ends(ends.n_inputs, ends.outputs, ends.inputs)
        at = f"{where}.transformation"
        ways = self._one(inner, turned, at, depth + 1).reversed
        if ways is None:
            raise _wrong(at, "a transformation that can be inverted", inner)
        return ways

    # -- values ------------------------------------------------------------------

    def _vector(self, item: Json, name: str, ends: Ends, where: str) -> F64:
        numbers = self._numbers(item, name, where)
        if numbers.shape != (ends.n_inputs,):
            expected = f"{ends.n_inputs} numbers, one for each axis"
            raise _wrong(f"{where}.{name}", expected, _form(numbers))
        return numbers

    def _numbers(self, item: Json, name: str, where: str) -> F64:
        at, value = f"{where}.{name}", item.get(name)
        path = item.get("path")
        if value is None and isinstance(path, str):
            if self._read_array is None:
                raise _wrong(at, "numbers in the metadata", f"the array {path!r}")
            value = self._read_array(path)
        try:
            numbers = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise _wrong(at, "numbers", value) from None
        if value is None or not np.isfinite(numbers).all():
            raise _wrong(at, "finite numbers", value)
        return numbers

    def _axes(
        self, listed: Any, names: Sequence[str], n_axes: int, where: str
    ) -> list[int]:
        """Positions of axes that are listed by position or by name."""
        if not isinstance(listed, list):
            raise _wrong(where, "a list of axes", listed)
        result = []
        for axis in listed:
            at = names.index(axis) if axis in names else axis
            if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at < n_axes:
                raise _wrong(where, f"axes from 0 to {n_axes - 1}", listed)
            result.append(at)
        if len(set(result)) < len(result):
            raise _wrong(where, "different axes", listed)
        return result


@dataclass(frozen=True)
class _Part:
    """What a byDimension does on some of the axes."""

    inputs: list[int]
    outputs: list[int]
    ways: Ways


_READERS: dict[str, Callable[[TransformParser, Json, Ends, str, int], Ways]] = {
    "identity": TransformParser._identity,
    "scale": TransformParser._scale,
    "translation": TransformParser._translation,
    "rotation": TransformParser._rotation,
    "affine": TransformParser._affine,
    "mapAxis": TransformParser._map_axis,
    "sequence": TransformParser._sequence,
    "byDimension": TransformParser._by_dimension,
    "bijection": TransformParser._bijection,
    "inverse": TransformParser._inverse,
    "inverseOf": TransformParser._inverse,
}


def _both(forward: F64) -> Ways:
    return Ways(forward, affine_map.inverse(forward))


def _joined_back(parts: list[_Part], n_inputs: int, n_outputs: int) -> F64 | None:
    inputs = [axis for part in parts for axis in part.inputs]
    if sorted(inputs) != list(range(n_inputs)):
        return None
    result = np.zeros((n_inputs, n_outputs + 1))
    for part in parts:
        if part.ways.backward is None:
            return None
        result[np.ix_(part.inputs, [*part.outputs, n_outputs])] = part.ways.backward
    return result


def _either(item: Json, name: str, other: str) -> Any:
    return item[name] if name in item else item.get(other)


def _form(numbers: F64) -> str:
    return f"numbers of the form {' × '.join(map(str, numbers.shape)) or 'of one'}"


def _wrong(where: str, expected: str, found: Any) -> StoreFormatError:
    text = found if isinstance(found, str) else f"{found!r:.80}"
    return StoreFormatError(f"expected {expected} in {where}; found {text}")
