"""How a layer looks (:class:`Appearance`), and how volumes are lit (:class:`Lighting`).

Both are frozen values. Light belongs to a view, as its background does, not to a layer:
all layers of one picture are lit from the same side. Slices show values and are never
lit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError

__all__ = [
    "BLENDINGS",
    "BY_DEPTH",
    "BY_DEPTH_MODES",
    "INTERPOLATIONS",
    "LIGHTS",
    "MAX_CHANNELS",
    "MODES",
    "PLAIN",
    "RAKING",
    "SHADED",
    "Appearance",
    "Blending",
    "ChannelAppearance",
    "Interpolation",
    "Light",
    "Lighting",
    "Mode",
    "color_lut",
    "gray_lut",
]

Light = Literal["headlight", "raking"]
LIGHTS: tuple[str, ...] = get_args(Light)
RAKING = (-0.72, 0.60, 0.35)
"""Where the raking light comes from: right, up and towards the eye; length 1."""
SHADED, BY_DEPTH = "shaded", "depth"
"""What a program does besides its mode; "" for neither."""
BY_DEPTH_MODES = ("mip", "iso")


@dataclass(frozen=True)
class Lighting:
    """How volumes are lit.

    Attributes
    ----------
    light : {"headlight", "raking"}
        Of surfaces: from the eye alone, or besides from the upper left, which shows
        relief.
    shading : bool
        Shade ``translucent`` by the gradient of the values, as if it were made of
        surfaces.
    depth_colour : bool
        In ``mip`` and ``iso`` let colour tell how far away what is seen lies.
    """

    light: Light = "headlight"
    shading: bool = False
    depth_colour: bool = False

    def __post_init__(self) -> None:
        if self.light not in LIGHTS:
            msg = f"expected a light out of {', '.join(LIGHTS)}; found {self.light!r}"
            raise OptionError(msg)

    def program_of(self, mode: str, *, is_labels: bool = False) -> str:
        """Return what the shader program of a mode does in addition to the mode.

        Parameters
        ----------
        mode : str
            One of :data:`MODES`.
        is_labels : bool
            Whether voxels are object numbers, which are never shaded.

        Returns
        -------
        str
            "shaded", "depth", or "" for nothing.
        """
        if self.shading and mode == "translucent" and not is_labels:
            return SHADED
        is_by_depth = mode in BY_DEPTH_MODES and not is_labels
        return BY_DEPTH if self.depth_colour and is_by_depth else ""


PLAIN = Lighting()


Mode = Literal[
    "mip", "minip", "average", "attenuated_mip", "iso", "translucent", "additive"
]
MODES: tuple[str, ...] = get_args(Mode)
Interpolation = Literal["linear", "nearest"]
INTERPOLATIONS: tuple[str, ...] = get_args(Interpolation)
Blending = Literal[
    "opaque",
    "translucent",
    "translucent_no_depth",
    "additive",
    "minimum",
    "multiplicative",
]
BLENDINGS: tuple[str, ...] = get_args(Blending)
MAX_CHANNELS = 32
Rgba = tuple[int, int, int, int]


def gray_lut() -> NDArray[np.uint8]:
    """Black to white, shape (256, 4), uint8, opaque."""
    return color_lut((255, 255, 255))


def color_lut(rgb: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Black to one colour, shape (256, 4), uint8, opaque."""
    ramp = np.arange(256, dtype=np.float64)[:, None] / 255
    colors = np.rint(ramp * np.array(rgb, dtype=np.float64)).astype(np.uint8)
    return np.hstack([colors, np.full((256, 1), 255, np.uint8)])


@dataclass(frozen=True)
class ChannelAppearance:
    """How one channel looks.

    Attributes
    ----------
    contrast : tuple of float
        Values drawn as the first and the last colour.
    gamma : float
    opacity : float
    lut : ndarray, shape (256, 4), uint8
        Colours, sRGB, straight alpha.
    iso_threshold : float
        Value of the drawn surface.
    visible : bool
    """

    contrast: tuple[float, float] = (0.0, 1.0)
    gamma: float = 1.0
    opacity: float = 1.0
    lut: NDArray[np.uint8] = field(default_factory=gray_lut)
    iso_threshold: float = 0.5
    visible: bool = True


@dataclass(frozen=True)
class Appearance:
    """How a layer looks.

    Attributes
    ----------
    mode : str
        One of :data:`MODES`.
    channels : tuple of ChannelAppearance
        At most 16.
    interpolation : {"linear", "nearest"}
    slice_interpolation : {"linear", "nearest"} or None
        Of slices; None for that of volumes.
    blending : str
        One of :data:`BLENDINGS`: how it is laid over what is drawn before it, in
        displayed values. The lowest visible layer is laid over the background; as
        "additive" or "minimum" it replaces it.
    attenuation : float
        Of ``attenuated_mip``, as napari defines it.
    is_labels : bool
        Whether voxels are object numbers.
    selected_label : int or None
        The only label drawn.
    label_colors : ndarray, shape (n, 4), uint8, or None
        Colours (sRGB, straight alpha) that labels take turns with: label k has row
        ``(k - 1) % (n - 1) + 1``; row 0 is that of label 0, which is not drawn.
        None makes a colour from the number.
    label_overrides : mapping of int to tuple of int
        Labels with a colour of their own (red, green, blue, alpha; 0 to 255), where
        there are `label_colors`.
    clip_box : tuple or None
        Lower and upper corner (z, y, x) in world units that stay visible.
    clip_planes : tuple of tuple of float
        Rows (nz, ny, nx, d), world: kept where ``n . p + d >= 0``.
    relative_step : float
        Distance of samples along the dominant axis, in voxels of the sampled level.
    show_levels : bool
        Colour by level instead of by value.
    lighting : Lighting
        The view's.
    """

    mode: Mode = "mip"
    channels: tuple[ChannelAppearance, ...] = (ChannelAppearance(),)
    interpolation: Interpolation = "linear"
    blending: Blending = "translucent"
    attenuation: float = 0.05
    is_labels: bool = False
    selected_label: int | None = None
    label_colors: NDArray[np.uint8] | None = None
    label_overrides: Mapping[int, Rgba] = field(default_factory=dict)
    clip_box: tuple[tuple[float, float, float], tuple[float, float, float]] | None = (
        None
    )
    clip_planes: tuple[tuple[float, float, float, float], ...] = ()
    relative_step: float = 1.0
    show_levels: bool = False
    lighting: Lighting = PLAIN
    slice_interpolation: Interpolation | None = None

    def interpolation_in(self, *, is_slice: bool) -> Interpolation:
        """Return how samples are taken in a slice or in a volume."""
        own = self.slice_interpolation if is_slice else None
        return own or self.interpolation

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            msg = f"expected a mode out of {', '.join(MODES)}; found {self.mode!r}"
            raise OptionError(msg)
        if self.blending not in BLENDINGS:
            msg = (
                f"expected a blending out of {', '.join(BLENDINGS)}; found"
                f" {self.blending!r}"
            )
            raise OptionError(msg)
        _check_label_colors(self.label_colors)
        if not 1 <= len(self.channels) <= MAX_CHANNELS:
            msg = (
                f"expected 1 to {MAX_CHANNELS} channels in one layer; found"
                f" {len(self.channels)}: choose some with --channel"
            )
            raise OptionError(msg)


def _check_label_colors(colors: NDArray[np.uint8] | None) -> None:
    if colors is None:
        return
    is_table = colors.ndim == 2 and colors.shape[1] == 4 and len(colors) > 1
    if not is_table or colors.dtype != np.uint8:
        msg = (
            "expected colours of labels as uint8 of shape (n, 4), n at least 2; found"
            f" {colors.dtype} of shape {colors.shape}"
        )
        raise OptionError(msg)
