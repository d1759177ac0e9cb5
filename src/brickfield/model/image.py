"""What a store says about its image besides the voxels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from brickfield.model.scales import Pyramid
from brickfield.model.secrets import hide_secrets
from brickfield.model.transforms import AffineTransform

Rgba = tuple[int, int, int, int]
OTHER_LABELS: Rgba = (128, 128, 128, 255)
"""Colour of labels beside those that a store gives one."""
Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something unusual in a store's metadata that the reader corrected or left.

    Attributes
    ----------
    severity : {"info", "warning", "error"}
    code : str
        Short stable name, for example ``"no-pyramid"``.
    path : str
        Place in the metadata, for example ``"multiscales[0].datasets[1]"``.
    text : str
        One sentence: what was expected, what was found, what was done.
    """

    severity: Severity
    code: str
    path: str
    text: str

    def __post_init__(self) -> None:
        """Mask secrets of addresses."""
        object.__setattr__(self, "path", hide_secrets(self.path))
        object.__setattr__(self, "text", hide_secrets(self.text))


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of an image.

    Attributes
    ----------
    name : str
    color : tuple of int or None
        Red, green, blue, 0 to 255; None if the store gives none.
    window : tuple of float or None
        Contrast limits the store suggests.
    is_active : bool
    """

    name: str
    color: tuple[int, int, int] | None = None
    window: tuple[float, float] | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """Everything known of one image.

    Attributes
    ----------
    uri : str
        Where it was opened, for people: passwords and tokens are masked.
    format : str
        For people, for example ``"OME-Zarr 0.5 (zarr v3)"``.
    name : str
    pyramid : Pyramid
    channels : tuple of Channel
        One for each index of the channel axis (one without such an axis).
    labels : tuple of str
        Names of label images beside it.
    is_labels : bool
        Whether the voxels are object numbers, not intensities.
    wells : tuple of str
        Wells ("A/1") of a plate, when the store is one.
    series : tuple of str
        Images that can be chosen in this store.
    image : str
        Of a plate, which well and field it is ("A/1/0"); else empty.
    findings : tuple of Finding
    label_colors : tuple of (int, (int, int, int, int))
        Labels that the store gives a colour: red, green, blue, alpha, 0 to 255.
    label_properties : tuple of (int, tuple of (str, value))
        What the store says of single labels.
    placement : AffineTransform or None
        What turns, shears or mirrors the image in the world, applied to what the
        levels' voxel sizes and translations say; None where these say all.
    is_in_scene : bool
        Whether the images of the store belong together, each where it lies.
    beside : tuple of str
        Of `series`, those that lie in one coordinate system and show different things:
        layers of their own, not parts of one image.
    n_images : int
        Of how many images it is put together.
    """

    uri: str
    format: str
    name: str
    pyramid: Pyramid
    channels: tuple[Channel, ...] = (Channel("0"),)
    labels: tuple[str, ...] = ()
    is_labels: bool = False
    wells: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    image: str = ""
    label_colors: tuple[tuple[int, Rgba], ...] = ()
    label_properties: tuple[tuple[int, tuple[tuple[str, Any], ...]], ...] = ()
    placement: AffineTransform | None = None
    is_in_scene: bool = False
    beside: tuple[str, ...] = ()
    n_images: int = 1

    @property
    def world(self) -> AffineTransform:
        """From data space (index of level 0, z, y, x) to world."""
        box = AffineTransform.of_level(self.pyramid.levels[0])
        return box if self.placement is None else self.placement @ box

    def __post_init__(self) -> None:
        """Mask secrets of the address."""
        object.__setattr__(self, "uri", hide_secrets(self.uri))
