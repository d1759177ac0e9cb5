"""Layers in the scene document: data by name, looks and place by value."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

Point = tuple[float, float, float]
Word = Annotated[str, Field(min_length=1, max_length=200)]
Share = Annotated[float, Field(ge=0, le=1)]
Index = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Edge = Annotated[float, Field(gt=0)]
Row4 = tuple[float, float, float, float]
Matrix4 = tuple[Row4, Row4, Row4, Row4]
ColorStop = tuple[Share, Share, Share, Share, Share]
"""Position, red, green, blue, alpha."""
SceneMode = Literal[
    "mip",
    "minip",
    "average",
    "attenuated_mip",
    "iso",
    "translucent",
    "additive",
    "iso_categorical",
]
"""The modes of :mod:`brickfield.model.appearance`, and napari's one for labels."""


class SceneValue(BaseModel):
    """What every part of the document has in common: checked, frozen, strict."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        ser_json_inf_nan="constants",
    )


def with_length(value: Point) -> Point:
    """Return a direction unchanged if its length is not 0.

    Raises
    ------
    ValueError
        If all components are 0.
    """
    if not any(value):
        msg = "expected a direction with a length"
        raise ValueError(msg)
    return value


class SceneTileGrid(SceneValue):
    """The voxels that several images are shown in as one."""

    origin: Point
    """Centre of voxel 0, z, y, x, world."""
    spacing: tuple[Edge, Edge, Edge]
    """World units a voxel, z, y, x."""
    shape: tuple[Count, Count, Count]
    """Voxels, z, y, x."""
    is_chosen: bool = False
    """Whether it was asked for, so that also what is empty of it is written."""


class SceneTiles(SceneValue):
    """How images that are shown as one differ from what their file says."""

    overlap: Word = "max"
    """How voxels of several images at one place become one."""
    order: Literal[0, 1] = 1
    """Between voxels of an image: the nearest, or linear."""
    colour_by: Word | None = None
    """What the channels tell apart: ``"tile"``, or an attribute of the images."""
    grid: SceneTileGrid
    moved: dict[str, Matrix4] = {}
    """From voxel index of the image (centres, z, y, x, 1) to world, by its name."""
    hidden: tuple[str, ...] = ()
    """Names of the images that are left out."""


class SceneSource(SceneValue):
    """Where the voxels of a layer come from, and what of it was chosen."""

    uri: Annotated[str, Field(min_length=1)]
    """File, folder or URL; a relative path counts from the document's folder."""
    series: int | str | None = None
    well: int | str | None = None
    field: int | str | None = None
    label: str | None = None
    """Name of the label image."""
    channel: Index | None = None
    """The channel that the layer shows; none without a channel axis."""
    scale: tuple[float, ...] | None = None
    """Voxel size of level 0 instead of the stored one."""
    axes: str | None = None
    """Axis names instead of the stored ones."""
    treat_403_as_missing: bool = False
    margin: Annotated[float, Field(ge=0)] | None = None
    """Room round the images of a scene that are shown as one, as a share of the
    largest: the layer's grid begins there. None for a single image."""
    tiles: SceneTiles | None = None
    """Where these images lie; None for where the file says, with room by `margin`."""


class SceneClipPlane(SceneValue):
    """What lies on the side that the normal points to stays visible."""

    position: Point
    """World, z, y, x."""
    normal: Point
    """World direction, z, y, x, with a length."""
    enabled: bool = True

    @field_validator("normal")
    @classmethod
    def _has_length(cls, value: Point) -> Point:
        return with_length(value)


def _source_kind(value: Any) -> str:
    return "memory" if isinstance(value, str) else "store"


def _colormap_kind(value: Any) -> str:
    return "name" if isinstance(value, str) else "stops"


class SceneLayer(SceneValue):
    """One layer; the first is drawn first."""

    name: str
    source: Annotated[
        Annotated[Literal["memory"], Tag("memory")]
        | Annotated[SceneSource, Tag("store")],
        Discriminator(_source_kind),
    ]
    """``"memory"`` for arrays that are in no file."""
    kind: Literal["image", "labels"] = "image"
    visible: bool = True
    opacity: Share = 1.0
    blending: Word = "translucent"
    """As napari names it."""
    contrast: tuple[float, float] | None = None
    """Values drawn as the first and the last colour; null takes them from the data."""
    gamma: Annotated[float, Field(gt=0)] = 1.0
    colormap: Annotated[
        Annotated[Word, Tag("name")]
        | Annotated[tuple[ColorStop, ...], Field(min_length=2), Tag("stops")],
        Discriminator(_colormap_kind),
    ] = "gray"
    """A name, or stops of position, red, green, blue and alpha, each 0 to 1."""
    opacity_curve: Annotated[tuple[tuple[Share, Share], ...], Field(min_length=2)] = (
        (0.0, 1.0),
        (1.0, 1.0),
    )
    """Opacity over the contrast window; points of position and opacity."""
    mode: SceneMode = "mip"
    attenuation: Annotated[float, Field(ge=0)] = 0.05
    iso_threshold: float | None = None
    """In data values; null takes the middle of the contrast."""
    interpolation: Word = "linear"
    """Of the volume, as napari names it."""
    slice_interpolation: Word | None = None
    """Of slices, as napari names it; null leaves what is set."""
    transform: tuple[tuple[float, ...], ...] | None = None
    """Indices of level 0 to world, homogeneous, row by row; null as the file says."""
    clip_box: tuple[Point, Point] | None = None
    """Lower and upper corner of what stays visible, world, z, y, x."""
    clip_planes: tuple[SceneClipPlane, ...] = ()
    selected_label: int | None = None
    """The only object drawn; null draws all."""

    @field_validator("contrast")
    @classmethod
    def _lower_first(cls, value: tuple[float, float] | None) -> Any:
        if value is not None and not value[0] < value[1]:
            msg = "expected two numbers, the lower first"
            raise ValueError(msg)
        return value

    @field_validator("colormap", "opacity_curve")
    @classmethod
    def _ascending(cls, value: Any) -> Any:
        if not isinstance(value, str):
            places = [stop[0] for stop in value]
            if places != sorted(places):
                msg = "expected points with ascending positions"
                raise ValueError(msg)
        return value

    @field_validator("clip_box")
    @classmethod
    def _lower_corner_first(cls, value: tuple[Point, Point] | None) -> Any:
        if value is not None and np.greater(*value).any():
            msg = "expected two corners, the lower first on every axis"
            raise ValueError(msg)
        return value

    @field_validator("transform")
    @classmethod
    def _affine(cls, value: tuple[tuple[float, ...], ...] | None) -> Any:
        if value is None:
            return value
        n = len(value)
        if n < 3 or any(len(row) != n for row in value):
            msg = "expected a square matrix with a row and a column more than axes"
        elif value[-1] != (0.0,) * (n - 1) + (1.0,):
            msg = "expected a matrix whose last row is 0, …, 0, 1"
        elif np.linalg.matrix_rank(np.array(value)[:-1, :-1]) < n - 1:
            msg = "expected a matrix that can be inverted"
        else:
            return value
        raise ValueError(msg)
