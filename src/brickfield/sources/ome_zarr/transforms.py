"""Coordinate transformations of OME-Zarr 0.4 to 0.6, as one map for each image.

All kinds that a matrix can express compose exactly. What is written in another form
is left out with a finding, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from brickfield.errors import BrickfieldError, StoreFormatError
from brickfield.sources.coordinates import affine_map
from brickfield.sources.coordinates.affine_map import F64
from brickfield.sources.coordinates.parse import Ends, ReadArray, TransformParser
from brickfield.sources.geometry import Findings, is_finite

Numbers = tuple[float, ...]
_SIZED = ("scale", "affine", "byDimension", "bijection", "inverse")
"""Kinds that say how large a voxel is."""


@dataclass(frozen=True, slots=True)
class BoxTransform:
    """A map ``p = scale * i + translation`` on every axis by itself.

    Attributes
    ----------
    scale, translation : tuple of float
        One for each axis.
    has_scale : bool
        Whether a file gave the scale.
    """

    scale: Numbers
    translation: Numbers
    has_scale: bool = False

    @classmethod
    def identity(cls, rank: int) -> BoxTransform:
        """The map that changes nothing."""
        return cls((1.0,) * rank, (0.0,) * rank)

    def then(self, outer: BoxTransform) -> BoxTransform:
        """Compose: first this map, then `outer`."""
        pairs = zip(
            outer.scale, self.scale, self.translation, outer.translation, strict=True
        )
        both = [(so * si, so * ti + to) for so, si, ti, to in pairs]
        return BoxTransform(
            tuple(s for s, _ in both),
            tuple(t for _, t in both),
            self.has_scale or outer.has_scale,
        )


@dataclass(frozen=True)
class ImageMap:
    """A map between systems with as many axes as an image has.

    Attributes
    ----------
    matrix : ndarray, shape (n, n + 1), float64
        Acts on column vectors (p_0, …, p_n-1, 1).
    has_scale : bool
        Whether a file gave the scale.
    """

    matrix: F64
    has_scale: bool = False

    @classmethod
    def identity(cls, rank: int) -> ImageMap:
        """The map that changes nothing."""
        return cls(affine_map.identity(rank))

    def then(self, outer: ImageMap) -> ImageMap:
        """Compose: first this map, then `outer`."""
        matrix = affine_map.then(self.matrix, outer.matrix)
        return ImageMap(matrix, self.has_scale or outer.has_scale)


class TransformReader:
    """Reads transformations of one image.

    Parameters
    ----------
    rank : int
        Axes of the image.
    findings : Findings
    is_replaced : bool
        Whether the user gives the voxel size: what is stored need not be usable.
    read_array : callable, optional
        Returns the numbers of an array in the store.
    names : sequence of str
        Of the image's axes.

    Attributes
    ----------
    has_left_out : bool
        Whether numbers of a wrong count were left out, which only happens where
        the user gives the voxel size.
    """

    def __init__(
        self,
        rank: int,
        findings: Findings,
        *,
        is_replaced: bool = False,
        read_array: ReadArray | None = None,
        names: Sequence[str] = (),
    ) -> None:
        self._rank = rank
        self._findings = findings
        self._is_replaced = is_replaced
        self._parser = TransformParser(read_array)
        self._names = tuple(names)
        self.has_left_out = False

    def read(
        self, value: Any, where: str, outputs: Sequence[str] | None = None
    ) -> ImageMap:
        """Compose a list of transformations, the first one applied first.

        Parameters
        ----------
        value : object
            ``coordinateTransformations`` as stored; None counts as empty.
        where : str
            Place in the metadata.
        outputs : sequence of str, optional
            Names of the axes that the list leads to; by default the image's.

        Raises
        ------
        StoreFormatError
            If a scale or translation has more or fewer numbers than there are axes:
            which axes they are for cannot be told.
        """
        result = ImageMap.identity(self._rank)
        if value is None:
            return result
        if not isinstance(value, list):
            self._skip("transform-list", where, "a list", value)
            return result
        n_scales = 0
        ends = Ends(self._rank, self._names, tuple(outputs or self._names))
        for i, item in enumerate(value):
            if not isinstance(item, dict):
                self._skip("transform-type", f"{where}[{i}]", "an object", item)
                continue
            n_scales += item.get("type") == "scale"
            result = result.then(self._one(item, ends, f"{where}[{i}]"))
        if n_scales > 1:
            self._findings.warning(
                "duplicate-scale",
                where,
                f"expected one scale in {where}; found {n_scales}; applied all",
            )
        return result

    def _one(self, item: dict[str, Any], ends: Ends, where: str) -> ImageMap:
        same = ImageMap.identity(self._rank)
        kind = item.get("type")
        if kind == "sequence":
            return self.read(item.get("transformations"), f"{where}.transformations")
        has_path = isinstance(item.get("path"), str) and item.get(str(kind)) is None
        if kind == "scale" and not has_path:
            scale = self._scale(item.get("scale"), f"{where}.scale")
            return same if scale is None else ImageMap(affine_map.scaled(scale), True)
        if kind == "translation" and not has_path:
            shift = self._vector(item.get("translation"), f"{where}.translation")
            return same if shift is None else ImageMap(affine_map.shifted(shift))
        try:
            matrix = self._parser.parse(item, ends, where).forward
            if len(matrix) != self._rank:
                raise StoreFormatError(
                    f"expected a transformation to {self._rank} axes in {where}; found"
                    f" one to {len(matrix)}"
                )
        except BrickfieldError as error:
            code = "unsupported-transform"
            self._findings.warning(code, where, f"{error}; left it out")
            return same
        return ImageMap(matrix, kind in _SIZED)

    def _scale(self, value: Any, where: str) -> Numbers | None:
        scale = self._vector(value, where)
        if scale is None:
            return None
        if any(not isfinite(s) or s == 0 for s in scale):
            self._skip("scale-value", where, "numbers other than 0", value)
            return None
        return scale

    def _vector(self, value: Any, where: str) -> Numbers | None:
        value = self._numbers_of(value, where)
        numeric = isinstance(value, list) and all(
            isinstance(v, int | float) and not isinstance(v, bool) and is_finite(v)
            for v in value
        )
        if not numeric or not value:
            self._skip("transform-values", where, f"{self._rank} numbers", value)
            return None
        numbers = tuple(float(v) for v in value)
        if len(numbers) == self._rank:
            return numbers
        text = (
            f"expected {self._rank} numbers in {where}, one for each axis; found"
            f" {len(numbers)}"
        )
        if not self._is_replaced:
            raise StoreFormatError(
                f"{text}: give the voxel size with --scale or scale="
            )
        self.has_left_out = True
        self._findings.warning("transform-length", where, f"{text}; left it out")
        return None

    def _numbers_of(self, value: Any, where: str) -> Any:
        """Read numbers that are written as texts, with a finding."""
        if not isinstance(value, list) or not any(isinstance(v, str) for v in value):
            return value
        try:
            numbers = [float(v) if isinstance(v, str) else v for v in value]
        except ValueError:
            return value
        self._findings.warning(
            "number-as-text",
            where,
            f"expected numbers in {where}; found texts {value!r:.60}; read them as numbers",
        )
        return numbers

    def _skip(self, code: str, where: str, expected: str, found: Any) -> None:
        self._findings.warning(
            code,
            where,
            f"expected {expected} in {where}; found {found!r:.60}; left it out",
        )


def output_name(transform: Any) -> str | None:
    """Name of the coordinate system that a 0.6 transformation leads to."""
    return _end_name(transform, "output")


def input_name(transform: Any) -> str | None:
    """Name of the coordinate system that a 0.6 transformation starts from."""
    return _end_name(transform, "input")


def _end_name(transform: Any, end: str) -> str | None:
    value = transform.get(end) if isinstance(transform, dict) else None
    if isinstance(value, dict):
        value = value.get("name")
    return value if isinstance(value, str) else None


def end_path(transform: Any, end: str) -> str | None:
    """Return the path of the image at one end of a transformation of a 0.6 scene.

    Parameters
    ----------
    transform
        As in the file.
    end : str
        "input" or "output".
    """
    value = transform.get(end) if isinstance(transform, dict) else None
    path = value.get("path") if isinstance(value, dict) else None
    return path.strip("/") if isinstance(path, str) else None
