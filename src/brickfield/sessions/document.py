"""The private part of a session's root metadata: what no standard has a word for.

Checked here, once, when it is read. Fields that are not known stay as they are and
are written back, so that what a later program of the same schema noted is not lost.
An older schema is brought up step by step; a newer one is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from brickfield.errors import (
    SceneStateError,
    StoreAccessError,
    StoreFormatError,
    StoreNotFoundError,
)
from brickfield.scene import SceneState, problem_of
from brickfield.sources.io import read_whole

SCHEMA = 1
"""The schema that this program writes."""
KEY = "brickfield"
"""Of the root's attributes; the session stands below it."""
Json = dict[str, Any]
Step = Callable[[Json], Json]
MIGRATIONS: dict[int, Step] = {}
"""By the schema that a step leads away from, to the next number."""
Point = tuple[float, float, float]
_MOST_DIGITS = 6


def _is_number(value: str) -> str:
    if not (value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS):
        msg = "expected the number of an image in the session"
        raise ValueError(msg)
    return value


def _is_group(value: str) -> str:
    folder, _, number = value.partition("/")
    if folder != "annotations":
        msg = "expected a group below annotations/"
        raise ValueError(msg)
    _is_number(number)
    return value


ImageName = Annotated[str, AfterValidator(_is_number)]
"""Name of an image's folder below the root; it leads nowhere else."""


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="allow", frozen=True, allow_inf_nan=False, populate_by_name=True
    )


class SessionChannel(_Part):
    """One layer's image, by the number that its program knows it by."""

    id: int
    name: str
    image: ImageName


class SessionSource(_Part):
    """Where a layer's voxels are."""

    absolute: Annotated[str, Field(min_length=1)]
    relative: str | None = None
    """From the session's folder; null for URLs and what lies far away."""
    fingerprint: Json = Field(default_factory=dict)
    image: ImageName


class SessionImage(_Part):
    """The grid of a layer, in the order of the layer's axes."""

    image: ImageName
    embedded: bool = False
    shape: tuple[int, ...] = ()
    voxel_size: tuple[float, ...] = ()
    translation: tuple[float, ...] = ()
    preview_voxel_size: tuple[float, ...] = ()
    preview_translation: tuple[float, ...] = ()


class SessionAnnotation(_Part):
    """A layer of points, shapes and so on, in a group of arrays."""

    name: str
    type: str
    path: Annotated[str, AfterValidator(_is_group)]
    position: Annotated[int, Field(ge=0)] = 0
    """Among all layers, the first is drawn first."""
    left_out: tuple[str, ...] = ()
    """What of the layer could not be kept."""


class SessionDocument(_Part):
    """What stands under ``brickfield.session``."""

    version: Annotated[Literal[1], Field(alias="schema")] = 1
    name: str = ""
    description: str = ""
    created: str = ""
    program: str = ""
    mode: Literal["reference", "embed"] = "reference"
    scene: SceneState = SceneState()
    reference_position: Point | None = None
    bounds: tuple[Point, Point] | None = None
    channels: tuple[SessionChannel, ...] = ()
    sources: tuple[SessionSource, ...] = ()
    images: tuple[SessionImage, ...] = ()
    annotations: tuple[SessionAnnotation, ...] = ()

    def to_dict(self) -> Json:
        """Return plain values, unknown fields too."""
        data: Json = self.model_dump(mode="json", by_alias=True)
        data["scene"] = self.scene.to_dict()
        return data

    @property
    def image_names(self) -> tuple[str, ...]:
        """Folder of every layer's image, in the order of the layers."""
        n = len(self.scene.layers)
        named = tuple(one.image for one in self.images)
        return named if len(named) == n else tuple(str(i) for i in range(n))

    def source_of(self, image: str) -> SessionSource | None:
        """Return where an image's voxels are; None when they are in the session."""
        return next((s for s in self.sources if s.image == image), None)

    def grid_of(self, image: str) -> SessionImage:
        """Return what is known of an image's grid."""
        found = next((one for one in self.images if one.image == image), None)
        return found or SessionImage(image=image)


def migrated(data: Json, steps: Mapping[int, Step] = MIGRATIONS) -> Json:
    """Bring a document of an older schema up to the present one.

    Parameters
    ----------
    data : dict
        As read; not changed.
    steps : mapping
        A function for each schema that leads away from it.

    Raises
    ------
    StoreFormatError
        When the schema is newer, or there is no step away from it.
    """
    found = data.get("schema")
    if not isinstance(found, int) or isinstance(found, bool):
        msg = f'expected "schema": {SCHEMA} in a session; found {found!r:.40}'
        raise StoreFormatError(msg)
    if found > SCHEMA:
        msg = (
            f"expected a session of schema {SCHEMA}; found schema {found}, which a newer"
            " napari-brickfield wrote: update napari-brickfield"
        )
        raise StoreFormatError(msg)
    for number in range(found, SCHEMA):
        if number not in steps:
            msg = f'expected "schema": {SCHEMA} in a session; found {number}'
            raise StoreFormatError(msg)
        data = {**steps[number](data), "schema": number + 1}
    return data


def checked(data: Any, steps: Mapping[int, Step] = MIGRATIONS) -> SessionDocument:
    """Check plain values and return the document.

    Parameters
    ----------
    data : object
        As read from JSON.
    steps : mapping of int to Step
        For each older version, what brings it to the next.

    Raises
    ------
    StoreFormatError
        In one sentence: the place, what was expected, what was found.
    """
    if not isinstance(data, dict):
        msg = f"expected a session, an object; found {type(data).__name__}"
        raise StoreFormatError(msg)
    plain = migrated(data, steps)
    try:
        scene = SceneState.from_dict(plain.get("scene"))
        found = SessionDocument.model_validate({**plain, "scene": scene})
    except ValidationError as error:
        raise StoreFormatError(problem_of(error)) from error
    except SceneStateError as error:
        msg = f"scene: {error}"
        raise StoreFormatError(msg) from error
    return found


def is_session(folder: Path) -> bool:
    """Tell whether a folder says that it is a session; never raises."""
    try:
        return isinstance(_private(_attributes(folder)[1]), dict)
    except (OSError, ValueError):
        return False


def read_document(folder: Path) -> tuple[SessionDocument, str]:
    """Read a session's document and its OME-Zarr version; no voxels.

    Raises
    ------
    StoreNotFoundError, StoreAccessError, StoreFormatError
    """
    try:
        version, attributes = _attributes(folder)
    except FileNotFoundError as error:
        msg = f"expected a session folder at {folder}; found none"
        raise StoreNotFoundError(msg) from error
    except StoreFormatError:
        raise
    except ValueError as error:
        msg = f"expected a session in {folder}; found metadata that are cut off"
        raise StoreFormatError(f"{msg} or no JSON ({error})") from error
    except OSError as error:
        msg = f"expected to read {folder}; found {error.strerror or error}"
        raise StoreAccessError(msg) from error
    private = _private(attributes)
    if private is None:
        msg = (
            f'expected a session in {folder}, as "brickfield session save" writes it;'
            " found none of its metadata"
        )
        raise StoreFormatError(msg)
    try:
        return checked(private), version
    except StoreFormatError as error:
        msg = f"{folder}: {error}"
        raise StoreFormatError(msg) from error


def _attributes(folder: Path) -> tuple[str, Json]:
    """Return version and attributes of the root."""
    new = folder / "zarr.json"
    if new.exists():
        document = _object(new)
        attributes = document.get("attributes")
        if not isinstance(attributes, dict):
            attributes = {}
        ome = attributes.get("ome")
        version = str(ome.get("version", "0.5")) if isinstance(ome, dict) else "0.5"
        return version, attributes
    return "0.4", _object(folder / ".zattrs")


def _object(path: Path) -> Json:
    try:
        found = json.loads(read_whole(path))
    except RecursionError as error:
        msg = f"expected JSON in {path}; found it nested too deep"
        raise StoreFormatError(msg) from error
    if not isinstance(found, dict):
        msg = f"expected an object in {path}; found {type(found).__name__}"
        raise StoreFormatError(msg)
    return found


def _private(attributes: Json) -> Any:
    ours = attributes.get(KEY)
    return ours.get("session") if isinstance(ours, dict) else None
