"""Options of all overlays of one view, as frozen values.

They belong to the view: they are neither saved nor shared, and a change of them
requests a repaint and bumps no version. Nothing here needs a GPU, so a window's
thread can hold an :class:`OverlayState` and hand it to the thread that draws.
Lengths are in logical pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from brickfield.errors import OptionError
from brickfield.model import Vec3
from brickfield.rendering.overlays import checks

Corner = Literal["top_left", "top_right", "bottom_left", "bottom_right"]
OptionColor = str | tuple[int, int, int]
"""``"auto"``, a colour's name, ``"#rrggbb"``, or red, green and blue of 0 to 255."""

_CORNER = checks.choice("top_left", "top_right", "bottom_left", "bottom_right")
_FONT = checks.number(4, 400)
_WIDTH = checks.number(0.2, 50)


def _unknown(name: object, known: tuple[str, ...]) -> OptionError:
    return OptionError(f"expected an overlay out of {', '.join(known)}; found {name!r}")


def _by(check: checks.Check) -> dict[str, checks.Check]:
    return {"check": check}


@dataclass(frozen=True, kw_only=True)
class OverlayOptions:
    """What all overlays have.

    Attributes
    ----------
    visible : bool
    """

    visible: bool = field(default=False, metadata=_by(checks.flag))

    def __post_init__(self) -> None:
        for f in fields(self):
            value = f.metadata["check"](f.name, getattr(self, f.name))
            object.__setattr__(self, f.name, value)


@dataclass(frozen=True, kw_only=True)
class ScaleBarOptions(OverlayOptions):
    """A bar of a round length with its length as text.

    In perspective the length holds at the depth of the camera's target.

    Attributes
    ----------
    corner : str
    font_size : float
    color : str or tuple
        "auto" is white, or black on a bright background.
    unit : str
        Unit of world coordinates; "" takes what the data say.
    """

    corner: Corner = field(default="bottom_right", metadata=_by(_CORNER))
    font_size: float = field(default=13.0, metadata=_by(_FONT))
    color: OptionColor = field(default="auto", metadata=_by(checks.color))
    unit: str = field(default="", metadata=_by(checks.text))


@dataclass(frozen=True, kw_only=True)
class AxesOptions(OverlayOptions):
    """Directions of the world's axes; in slice views the two within the plane.

    Attributes
    ----------
    corner : str
    length : float
        Of an arm that lies in the picture's plane.
    font_size : float
    """

    corner: Corner = field(default="bottom_left", metadata=_by(_CORNER))
    length: float = field(default=32.0, metadata=_by(checks.number(8, 1000)))
    font_size: float = field(default=13.0, metadata=_by(_FONT))


@dataclass(frozen=True, kw_only=True)
class BoundingBoxOptions(OverlayOptions):
    """Edges of every visible layer's data box; in slice views where the plane cuts it.

    Attributes
    ----------
    width : float
    color : str or tuple
        "auto" is white with a dark rim.
    hidden_opacity : float
        Of edges behind what is shown, 0 to 1, where all layers are projections
        (mip, average, …), which have no front. Surfaces and labels hide edges.
    """

    width: float = field(default=1.3, metadata=_by(_WIDTH))
    color: OptionColor = field(default="auto", metadata=_by(checks.color))
    hidden_opacity: float = field(default=0.4, metadata=_by(checks.number(0, 1)))


@dataclass(frozen=True, kw_only=True)
class ColorbarOptions(OverlayOptions):
    """Colours of one layer with the values at both ends.

    Attributes
    ----------
    corner : str
    length : float
        Shorter where the picture is small.
    font_size : float
    layer : int or None
        Index among the view's layers; None takes the last visible image.
    channel : int or None
        Index among the layer's drawn channels; None shows all (at most four).
    title : str
        "" takes the name that the data say.
    """

    corner: Corner = field(default="top_right", metadata=_by(_CORNER))
    length: float = field(default=160.0, metadata=_by(checks.number(10, 5000)))
    font_size: float = field(default=12.0, metadata=_by(_FONT))
    layer: int | None = field(default=None, metadata=_by(checks.index_or_none))
    channel: int | None = field(default=None, metadata=_by(checks.index_or_none))
    title: str = field(default="", metadata=_by(checks.text))


@dataclass(frozen=True, kw_only=True)
class MarkerOptions(OverlayOptions):
    """A cross-hair: lines along the world's axes through one point.

    Attributes
    ----------
    position : tuple of float or None
        World (z, y, x); None shows nothing.
    width : float
    gap : float
        Radius round the point that stays free.
    color : str or tuple
        "auto" gives each line its axis' colour.
    hidden_opacity : float
        Of lines behind what is shown, 0 to 1.
    """

    position: Vec3 | None = field(default=None, metadata=_by(checks.point_or_none))
    width: float = field(default=1.0, metadata=_by(_WIDTH))
    gap: float = field(default=8.0, metadata=_by(checks.number(0, 1000)))
    color: OptionColor = field(default="auto", metadata=_by(checks.color))
    hidden_opacity: float = field(default=0.5, metadata=_by(checks.number(0, 1)))


@dataclass(frozen=True, kw_only=True)
class TextOptions(OverlayOptions):
    """A free label.

    Attributes
    ----------
    text : str
        May have several lines; "" shows nothing.
    corner : str
    font_size : float
    color : str or tuple
        "auto" is white, or black on a bright background.
    """

    text: str = field(default="", metadata=_by(checks.text))
    corner: Corner = field(default="top_left", metadata=_by(_CORNER))
    font_size: float = field(default=14.0, metadata=_by(_FONT))
    color: OptionColor = field(default="auto", metadata=_by(checks.color))


@dataclass(frozen=True, kw_only=True)
class TilesOptions(OverlayOptions):
    """Boxes and names of the tiles of a mosaic; in slice views where the plane cuts them.

    Attributes
    ----------
    names : bool
        Whether the names are written, too.
    width : float
    color : str or tuple
        "auto" is white with a dark rim.
    opacity : float
        Of the boxes, 0 to 1.
    font_size : float
    """

    names: bool = field(default=True, metadata=_by(checks.flag))
    width: float = field(default=1.0, metadata=_by(_WIDTH))
    color: OptionColor = field(default="auto", metadata=_by(checks.color))
    opacity: float = field(default=0.7, metadata=_by(checks.number(0, 1)))
    font_size: float = field(default=12.0, metadata=_by(_FONT))


@dataclass(frozen=True)
class OverlayState:
    """Options of every overlay of a view, by name.

    Attributes
    ----------
    scale_bar, axes, bounding_box, tiles, colorbar, marker, text
        One value of options each; all invisible by default.
    """

    scale_bar: ScaleBarOptions = ScaleBarOptions()
    axes: AxesOptions = AxesOptions()
    bounding_box: BoundingBoxOptions = BoundingBoxOptions()
    tiles: TilesOptions = TilesOptions()
    colorbar: ColorbarOptions = ColorbarOptions()
    marker: MarkerOptions = MarkerOptions()
    text: TextOptions = TextOptions()

    def options(self, name: str) -> OverlayOptions:
        """Return one overlay's options.

        Raises
        ------
        OptionError
            For an unknown name; the message lists the known ones.
        """
        if name not in NAMES:
            raise _unknown(name, NAMES)
        options: OverlayOptions = getattr(self, name)
        return options

    def with_options(self, name: str, **options: Any) -> OverlayState:
        """Return the state with some options of one overlay changed.

        Raises
        ------
        OptionError
            For an unknown overlay or option, or a value that cannot be used.
        """
        old = self.options(name)
        known = [f.name for f in fields(old)]
        for option in options:
            if option not in known:
                msg = (
                    f"expected an option of {name} out of {', '.join(known)}; found"
                    f" {option!r}"
                )
                raise OptionError(msg)
        changes: dict[str, Any] = {name: replace(old, **options)}
        return replace(self, **changes)

    @classmethod
    def of(cls, chosen: Any) -> OverlayState:
        """Make a state from what is easy to type.

        Parameters
        ----------
        chosen : OverlayState, str, sequence of str, or mapping
            Names of overlays to show, or ``{name: {option: value}}``.

        Raises
        ------
        OptionError
            For a name or an option that is not known.
        """
        if isinstance(chosen, OverlayState):
            return chosen
        if isinstance(chosen, Mapping):
            wanted = {str(name): dict(options) for name, options in chosen.items()}
        else:
            names = (chosen,) if isinstance(chosen, str) else tuple(chosen)
            for name in names:
                if name not in EXPORTED:
                    raise _unknown(name, EXPORTED)
            wanted = {name: {} for name in names}
        state = cls()
        for name, options in wanted.items():
            state = state.with_options(name, **({"visible": True} | options))
        return state

    @property
    def is_visible(self) -> bool:
        """Whether any overlay is to be seen."""
        return any(self.options(name).visible for name in NAMES)


NAMES: tuple[str, ...] = tuple(f.name for f in fields(OverlayState))
"""All overlays, drawn first to last."""
EXPORTED: tuple[str, ...] = ("scale_bar", "axes", "bounding_box", "tiles", "colorbar")
"""Those that need no content of their own, offered by ``brickfield render``."""

TITLES: dict[str, tuple[str, str]] = {
    "scale_bar": (
        "Scale bar",
        "A round length at the present zoom. In perspective it holds at the depth of"
        " the point that the camera turns round.",
    ),
    "axes": ("Axes", "Directions of z, y and x."),
    "bounding_box": ("Bounding box", "Edges of every visible layer's data."),
    "tiles": ("Tiles", "Boxes and names of the tiles of a mosaic."),
    "colorbar": ("Colour bar", "Colours of a layer and the values they stand for."),
    "marker": ("Marker", "A cross-hair through one point in all views."),
    "text": ("Text", "A label of your own."),
}
"""Title and tooltip of each overlay, for menus."""
