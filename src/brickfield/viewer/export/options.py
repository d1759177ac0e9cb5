"""Everything that can be said about one picture, as one frozen value.

:class:`RenderOptions` has one field for each option of ``brickfield render``
that changes the picture or its cost, checked once, here. The engine reads it and
never checks again; what depends on the data (how many channels there are) is
checked where the data is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from brickfield.blockwise import parse_bytes
from brickfield.camera import CameraSpec, FitCamera, camera_spec
from brickfield.errors import OptionError
from brickfield.model import Plane
from brickfield.model.appearance import (
    INTERPOLATIONS,
    LIGHTS,
    MODES,
    Interpolation,
    Light,
    Lighting,
    Mode,
)
from brickfield.rendering.overlays import OverlayState
from brickfield.viewer.colormaps import color, lut

_FIT = FitCamera()
_NO_OVERLAYS = OverlayState()
MAX_PICTURE = 16384
"""Longest edge of a picture, pixels."""


@dataclass(frozen=True)
class RenderOptions:
    """What to draw and at what cost. See :func:`render_options` for friendly input.

    Attributes
    ----------
    size : tuple of int
        Width and height, pixels.
    mode : str
        One of :data:`brickfield.model.appearance.MODES`.
    channel : tuple of int
        Channels to draw; empty draws all.
    time : int
        Index on the time axis, if there is one.
    position : tuple of (str, int)
        Index on further axes, by axis name.
    contrast : tuple of (float, float)
        Values drawn as the first and the last colour: none (from the data), one
        for all channels, or one a drawn channel.
    colormap : tuple of str
        Names: none (from the data), one for all channels, or one a drawn channel.
    gamma : float
    iso_threshold : float or None
        Value of the drawn surface; None takes the middle of the contrast.
    level : int or None
        That level everywhere; None lets the engine choose.
    quality : float
        Target screen-space error, pixels.
    camera : CameraSpec
    gpu_budget, ram_budget : int or None
        Bytes; None takes the default.
    clip : tuple of (str, float, float)
        Axis name, lower and upper world coordinate that stay visible.
    slice : (str, float) or None
        Axis name and world coordinate of the slice to draw in place of the volume.
    plane : tuple of float or None
        The same for any plane: a point and a normal, x, y, z, nx, ny, nz, world.
    interpolation : {"linear", "nearest"}
        Between voxels; labels are never mixed.
    labels : bool
        Draw integer data as labels, whatever the file says.
    background : tuple of int
        Red, green and blue, 0 to 255.
    timeout : float
        Seconds after which the picture is taken as it is.
    show_levels : bool
        Colour by level instead of by value.
    light : {"headlight", "raking"}
        Of surfaces (``iso``).
    shading : bool
        Shade ``translucent`` by the gradient of the values.
    depth_colour : bool
        Let colour tell depth (``mip``, ``iso``).
    overlay : OverlayState
        Scale bar, axes and so on; none by default.
    """

    size: tuple[int, int] = (800, 600)
    mode: Mode = "mip"
    channel: tuple[int, ...] = ()
    time: int = 0
    position: tuple[tuple[str, int], ...] = ()
    contrast: tuple[tuple[float, float], ...] = ()
    colormap: tuple[str, ...] = ()
    gamma: float = 1.0
    iso_threshold: float | None = None
    level: int | None = None
    quality: float = 1.0
    camera: CameraSpec = _FIT
    gpu_budget: int | None = None
    ram_budget: int | None = None
    clip: tuple[tuple[str, float, float], ...] = ()
    slice: tuple[str, float] | None = None
    plane: tuple[float, ...] | None = None
    interpolation: Interpolation = "linear"
    labels: bool = False
    background: tuple[int, int, int] = (0, 0, 0)
    timeout: float = 60.0
    show_levels: bool = False
    light: Light = "headlight"
    shading: bool = False
    depth_colour: bool = False
    overlay: OverlayState = _NO_OVERLAYS

    def __post_init__(self) -> None:
        _check_picture(self)
        _check_values(self)
        _check_indices(self)
        _check_slice(self)
        for name in self.colormap:
            lut(name)

    @property
    def lighting(self) -> Lighting:
        """How the volume is lit."""
        return Lighting(self.light, self.shading, self.depth_colour)

    @property
    def shown_plane(self) -> Plane | None:
        """The plane that is drawn in place of the volume, None for the volume."""
        if self.slice is not None:
            axis, position = self.slice
            return Plane.across("zyx".index(axis), position)
        if self.plane is not None:
            x, y, z, nx, ny, nz = self.plane
            return Plane((z, y, x), (nz, ny, nx))
        return None


def _expect(ok: bool, expected: str, found: object) -> None:
    if not ok:
        msg = f"expected {expected}; found {found}"
        raise OptionError(msg)


def _check_picture(o: RenderOptions) -> None:
    _expect(
        all(1 <= n <= MAX_PICTURE for n in o.size),
        f"a size of 1 to {MAX_PICTURE} pixels a side, such as 800x600",
        "x".join(map(str, o.size)),
    )
    _expect(o.mode in MODES, f"a mode out of {', '.join(MODES)}", repr(o.mode))
    _expect(
        0 < o.quality < math.inf, "a quality above 0 pixels (1 is sharp)", o.quality
    )
    _expect(o.timeout > 0, "a timeout above 0 seconds", o.timeout)


def _check_values(o: RenderOptions) -> None:
    for lo, hi in o.contrast:
        _expect(
            math.isfinite(lo) and math.isfinite(hi) and lo < hi,
            "a contrast of two numbers LO,HI with LO below HI",
            f"{lo:g},{hi:g}",
        )
    _expect(o.light in LIGHTS, f"a light out of {', '.join(LIGHTS)}", repr(o.light))
    _expect(0 < o.gamma < math.inf, "a gamma above 0", o.gamma)
    _expect(
        o.iso_threshold is None or math.isfinite(o.iso_threshold),
        "a finite iso threshold",
        o.iso_threshold,
    )
    for axis, lo, hi in o.clip:
        _expect(axis in ("z", "y", "x"), "a clip along z, y or x", repr(axis))
        _expect(
            lo < hi,
            f"a clip along {axis} whose lower end is below its upper end",
            f"{lo:g}:{hi:g}",
        )
    axes = [axis for axis, _, _ in o.clip]
    _expect(len(set(axes)) == len(axes), "one clip per axis", f"{', '.join(axes)}")


def _check_slice(o: RenderOptions) -> None:
    _expect(
        o.interpolation in INTERPOLATIONS,
        f"an interpolation out of {', '.join(INTERPOLATIONS)}",
        repr(o.interpolation),
    )
    _expect(o.slice is None or o.plane is None, "one of slice and plane", "both")
    if o.slice is not None:
        axis, position = o.slice
        _expect(axis in ("z", "y", "x"), "a slice across z, y or x", repr(axis))
        _expect(
            math.isfinite(position), f"a slice at a number on axis {axis}", position
        )
    if o.plane is not None:
        _expect(
            len(o.plane) == 6 and all(map(math.isfinite, o.plane)) and any(o.plane[3:]),
            "a plane of six numbers x,y,z,nx,ny,nz whose normal has a length",
            ",".join(f"{n:g}" for n in o.plane),
        )


def _check_indices(o: RenderOptions) -> None:
    _expect(o.time >= 0, "a time index of 0 or more", o.time)
    _expect(
        all(c >= 0 for c in o.channel), "channels of 0 or more", f"{list(o.channel)}"
    )
    _expect(
        len(set(o.channel)) == len(o.channel),
        "each channel once",
        ", ".join(map(str, o.channel)),
    )
    _expect(o.level is None or o.level >= 0, "a level of 0 or more, or auto", o.level)
    for axis, index in o.position:
        _expect(index >= 0, f"an index of 0 or more on axis {axis}", index)


def render_options(**options: Any) -> RenderOptions:
    """Make options from what is easy to type.

    Parameters
    ----------
    **options
        The fields of :class:`RenderOptions`, and besides: `channel` as one
        number; `contrast` as one pair; `colormap` as one name; `position` as
        ``{"axis": index}``; `clip` as ``{"z": (lo, hi)}`` (None leaves an end
        open); `slice` as ``{"z": position}`` or "z=position"; `level` as "auto"; budgets as "512 MiB"; `camera` as the text or
        mapping of :func:`~brickfield.camera.spec.camera_spec`;
        `background` as a colour's name; `overlay` as names of overlays, or as
        ``{name: {option: value}}``. None always means the default.

    Raises
    ------
    OptionError
        For an unknown name or a value that cannot be used.
    """
    known = {f.name for f in fields(RenderOptions)}
    for name in options:
        _expect(name in known, f"an option out of {', '.join(sorted(known))}", name)
    given = {name: value for name, value in options.items() if value is not None}
    values: dict[str, Any] = {}
    for name, value in given.items():
        try:
            values[name] = _READ.get(name, _same)(value)
        except OptionError:
            raise
        except (TypeError, ValueError) as error:
            msg = f"expected a usable value for {name}; found {value!r} ({error})"
            raise OptionError(msg) from error
    return RenderOptions(**values)


def _same(value: Any) -> Any:
    return value


def _integers(value: int | Iterable[int]) -> tuple[int, ...]:
    many = value if isinstance(value, Iterable) else (value,)
    return tuple(int(v) for v in many)


def _pairs(value: Any) -> tuple[tuple[float, float], ...]:
    many = list(value)
    if len(many) == 2 and not isinstance(many[0], Iterable):
        many = [many]
    return tuple((float(lo), float(hi)) for lo, hi in many)


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _positions(value: Any) -> tuple[tuple[str, int], ...]:
    items = value.items() if isinstance(value, Mapping) else value
    return tuple((str(axis), int(index)) for axis, index in items)


def _clips(value: Any) -> tuple[tuple[str, float, float], ...]:
    if isinstance(value, Mapping):
        value = [(axis, *ends) for axis, ends in value.items()]
    return tuple(
        (
            str(axis),
            -math.inf if lo is None else float(lo),
            math.inf if hi is None else float(hi),
        )
        for axis, lo, hi in value
    )


def _slice(value: Any) -> tuple[str, float]:
    if isinstance(value, Mapping):
        (value,) = value.items()
    axis, position = value.split("=") if isinstance(value, str) else value
    return (str(axis), float(position))


def _numbers(value: str | Iterable[float]) -> tuple[float, ...]:
    many = value.split(",") if isinstance(value, str) else value
    return tuple(float(n) for n in many)


def _level(value: str | int) -> int | None:
    return None if value == "auto" else int(value)


def _size(value: Any) -> tuple[int, int]:
    width, height = value
    return (int(width), int(height))


_READ: dict[str, Callable[[Any], Any]] = {
    "size": _size,
    "channel": _integers,
    "time": int,
    "position": _positions,
    "contrast": _pairs,
    "colormap": _names,
    "gamma": float,
    "iso_threshold": float,
    "level": _level,
    "quality": float,
    "camera": camera_spec,
    "gpu_budget": parse_bytes,
    "ram_budget": parse_bytes,
    "clip": _clips,
    "slice": _slice,
    "plane": _numbers,
    "labels": bool,
    "background": color,
    "timeout": float,
    "show_levels": bool,
    "shading": bool,
    "depth_colour": bool,
    "overlay": OverlayState.of,
}
