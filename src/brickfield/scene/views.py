"""Views in the scene document: cameras, where one is, how sharp it should be."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from brickfield.model import CameraState
from brickfield.model.appearance import Light, Lighting
from brickfield.scene.layers import Index, Point, SceneValue, Word, with_length

Layout = Literal["3D", "xy", "xz", "yz", "plane", "2x2", "3D+plane"]
LAYOUTS: tuple[str, ...] = get_args(Layout)


class SceneCamera(SceneValue):
    """A camera without the picture that it draws; world, z, y, x."""

    position: Point
    target: Point
    up: Point = (0.0, -1.0, 0.0)
    orthographic: bool = False
    fov: Annotated[float, Field(gt=0, lt=180)] = 45.0
    """Full vertical angle of view, degrees (perspective)."""
    height: Annotated[float, Field(gt=0)] = 1.0
    """World units that the picture is high (orthographic)."""

    @field_validator("up")
    @classmethod
    def _has_length(cls, value: Point) -> Point:
        return with_length(value)

    @model_validator(mode="after")
    def _looks_somewhere(self) -> SceneCamera:
        if self.position == self.target:
            msg = "expected a target that is not the position"
            raise ValueError(msg)
        return self

    @classmethod
    def of(cls, camera: CameraState) -> SceneCamera:
        """Take what a document keeps of a camera."""
        return cls(
            position=camera.position,
            target=camera.target,
            up=camera.up,
            orthographic=camera.orthographic,
            fov=camera.fov,
            height=camera.height,
        )

    def camera(self, viewport: tuple[int, int]) -> CameraState:
        """Return the camera for a picture of that width and height."""
        return CameraState(viewport=viewport, **self.model_dump())


class ScenePlane(SceneValue):
    """An oblique slice."""

    position: Point
    normal: Point

    @field_validator("normal")
    @classmethod
    def _has_length(cls, value: Point) -> Point:
        return with_length(value)


class SceneLight(SceneValue):
    """How volumes are lit."""

    light: Light = "headlight"
    shading: bool = False
    depth_colour: bool = False

    @classmethod
    def of(cls, lighting: Lighting) -> SceneLight:
        """Take what a view has."""
        return cls(
            light=lighting.light,
            shading=lighting.shading,
            depth_colour=lighting.depth_colour,
        )

    def lighting(self) -> Lighting:
        """Return what a view takes."""
        return Lighting(**self.model_dump())


class SceneViews(SceneValue):
    """Which views there are and where their cameras stand."""

    layout: Layout = "3D"
    light: SceneLight = SceneLight()
    cameras: dict[Word, SceneCamera] = Field(default_factory=dict)
    """By the view's name: one of the layouts, or napari for napari's canvas."""


class SceneExploration(SceneValue):
    """Where in the data one is."""

    time: Index = 0
    positions: dict[Word, int] = Field(default_factory=dict)
    """Step on every further axis, by its name."""
    cross_hair: Point | None = None
    """Point where the slices meet, world, z, y, x."""
    plane: ScenePlane | None = None
    """What the view "plane" shows."""


class SceneLevelOfDetail(SceneValue):
    """How sharp the picture should be."""

    target_error_px: Annotated[float, Field(gt=0)] = 1.0
    """Size of a voxel on the screen that counts as sharp, pixels."""
    forced_level: Index | None = None
    """That level everywhere; null lets the engine choose."""


class SceneSpace(SceneValue):
    """What world coordinates mean."""

    axes: tuple[Word, ...] = ("z", "y", "x")
    unit: str = ""
    """For example micrometer; empty when not known."""
