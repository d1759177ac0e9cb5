"""Options that commands share, and their texts as values, each by a pure function.

Only the shape of a text is judged here; whether the value can be used is judged
once, by :class:`brickfield.viewer.export.options.RenderOptions`.
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

from brickfield.errors import OptionError

Series = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Which image of several, or its number."),
]
Well = Annotated[
    str | None, typer.Option(metavar="NAME", help="Which well of a plate, such as B/3.")
]
Field = Annotated[
    str | None, typer.Option(metavar="NAME", help="Which field of the well.")
]
Label = Annotated[
    str | None, typer.Option(metavar="NAME", help="A label image instead of the image.")
]
Image = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help='Which image of several, as "brickfield info" lists them.'
    ),
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        "--image",
        metavar="NAME",
        help='Which image of several, as "brickfield info" lists them; may be repeated.',
    ),
]

Denied = Annotated[
    bool,
    typer.Option(
        "--treat-403-as-missing",
        help="Take a server's refusal (HTTP 403) to mean that nothing is stored there.",
    ),
]
Follow = Annotated[
    bool,
    typer.Option(
        "--follow-links",
        help="Let a local document name data of other folders and hosts.",
    ),
]
Scale = Annotated[
    str | None,
    typer.Option(
        metavar="Z,Y,X",
        help="Voxel size instead of the stored one; or one number for each axis.",
    ),
]
Axes = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES", help="Axes instead of the stored ones, such as czyx."
    ),
]


@dataclass(frozen=True)
class Choice:
    """Which image of a store that holds several.

    Attributes
    ----------
    series, well, field, label : str or None
        Names, or digits for a position.
    """

    series: Series = None
    well: Well = None
    field: Field = None
    label: Label = None

    def keywords(self) -> dict[str, Any]:
        """Return arguments of :func:`brickfield.open_source`; digits become a number."""
        return {
            name: int(value) if value.isdigit() else value
            for name, value in asdict(self).items()
            if value is not None
        }


@dataclass(frozen=True)
class Opening:
    """How an image is opened.

    Attributes
    ----------
    image : str or None
        By its name in the list of ``brickfield info``.
    denied : bool
        Take a server's refusal for "not stored".
    follow : bool
        Let documents name data of other folders and hosts.
    scale, axes : str or None
        What the user states instead of the file.
    """

    image: Image = None
    denied: Denied = False
    follow: Follow = False
    scale: Scale = None
    axes: Axes = None

    def keywords(self) -> dict[str, Any]:
        """Return arguments of :func:`brickfield.open_source`.

        Raises
        ------
        OptionError
            If the scale cannot be read.
        """
        given = trust(self.denied, self.follow)
        if self.image:
            # Never a number: it stands in a list of names.
            given["image"] = self.image
        if self.scale is not None:
            given["scale"] = parse_scale(self.scale)
        if self.axes is not None:
            given["axes"] = self.axes.strip()
        return given


@dataclass(frozen=True)
class OpeningSeveral(Opening):
    """How one or more images of a store are opened; see :class:`Opening`."""

    image: Images = None  # type: ignore[assignment]  # several where it takes one


def trust(denied: bool, follow: bool) -> dict[str, Any]:
    """Return what is taken on trust, as arguments of :func:`brickfield.open_source`.

    Parameters
    ----------
    denied, follow : bool
        See :class:`Opening`.
    """
    given = {"treat_403_as_missing": denied, "follow_links": follow}
    return {name: True for name, is_given in given.items() if is_given}


def parse_scale(text: str) -> tuple[float, ...]:
    """Read ``Z,Y,X`` or a number for each axis as voxel sizes above 0.

    Raises
    ------
    OptionError
        If it is anything else.
    """
    numbers = _numbers(text.split(","))
    if not numbers or not all(0 < n < math.inf for n in numbers):
        raise _refusal("--scale", "Z,Y,X, numbers above 0 such as 2,0.5,0.5", text)
    return tuple(numbers)


def parse_size(text: str) -> tuple[int, int]:
    """Read ``800x600`` as width and height, pixels.

    Raises
    ------
    OptionError
        If it is anything else.
    """
    match = re.fullmatch(r"\s*(\d+)\s*[xX×]\s*(\d+)\s*", text)
    if match is None:
        raise _refusal("--size", "WIDTHxHEIGHT, for example 800x600", text)
    return (int(match[1]), int(match[2]))


def parse_contrast(text: str) -> tuple[float, float]:
    """Read ``LO,HI`` as two numbers.

    Raises
    ------
    OptionError
        If it is anything else.
    """
    numbers = _numbers(text.split(","))
    if len(numbers) != 2:
        raise _refusal("--contrast", "LO,HI, for example 100,4000", text)
    return (numbers[0], numbers[1])


def parse_position(text: str) -> tuple[str, int]:
    """Read ``AXIS=N`` as an axis name and an index.

    Raises
    ------
    OptionError
        If it is anything else.
    """
    match = re.fullmatch(r"\s*([^=\s]+)\s*=\s*(\d+)\s*", text)
    if match is None:
        raise _refusal("--position", "AXIS=INDEX, for example angle=2", text)
    return (match[1], int(match[2]))


def parse_clip(text: str) -> tuple[str, float, float]:
    """Read ``AXIS=LO:HI`` as an axis and two world coordinates; an end may be open.

    Raises
    ------
    OptionError
        If it is anything else.
    """
    axis, _, ends = text.partition("=")
    low, colon, high = ends.partition(":")
    limits = _numbers([low.strip() or "-inf", high.strip() or "inf"])
    if not axis.strip() or not colon or len(limits) != 2:
        raise _refusal(
            "--clip", "AXIS=LO:HI in world units, for example z=0:12.5", text
        )
    return (axis.strip(), limits[0], limits[1])


def parse_slice(text: str) -> tuple[str, float]:
    """Read ``AXIS=POS`` as an axis and a world coordinate.

    Raises
    ------
    OptionError
        If it is anything else.
    """
    axis, _, position = text.partition("=")
    numbers = _numbers([position])
    if not axis.strip() or not numbers:
        raise _refusal("--slice", "AXIS=POSITION in world units, such as z=12.5", text)
    return (axis.strip(), numbers[0])


def parse_plane(text: str) -> tuple[float, ...]:
    """Read ``x,y,z,nx,ny,nz`` as a point and a normal, world.

    Raises
    ------
    OptionError
        If it is anything else.
    """
    numbers = _numbers(text.split(","))
    if len(numbers) != 6:
        expected = "x,y,z,nx,ny,nz (a point and a normal in world units)"
        raise _refusal("--plane", expected, text)
    return tuple(numbers)


def parse_level(text: str) -> int | None:
    """Read ``auto`` as None, or the number of a level.

    Raises
    ------
    OptionError
        If it is anything else.
    """
    if text.strip() == "auto":
        return None
    if not re.fullmatch(r"\s*\d+\s*", text):
        raise _refusal("--level", "auto or the number of a level", text)
    return int(text)


def _numbers(texts: list[str]) -> list[float]:
    try:
        numbers = [float(text) for text in texts]
    except ValueError:
        return []
    return [] if any(map(math.isnan, numbers)) else numbers


def _refusal(option: str, expected: str, found: str) -> OptionError:
    return OptionError(f"expected {option} as {expected}; found {found!r}")
