"""Options of the ``stem`` commands, and their texts as values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brickfield.cli.options import _numbers, _refusal

if TYPE_CHECKING:
    from brickfield.stem4d import Detector

File = Annotated[str, typer.Argument(metavar="FILE", help="File of a scan.")]
Out = Annotated[
    str, typer.Option("--output", "-o", metavar="OUT", help="A .npy, .tif or .png.")
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def parse_scan(text: str | None) -> tuple[int, int] | None:
    """Read ``NYxNX`` as lines and positions.

    Raises
    ------
    OptionError
        If it is anything else.
    """
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+)\s*[xX×]\s*(\d+)\s*", text)
    if match is None or not int(match[1]) * int(match[2]):
        raise _refusal("--scan", "NYxNX, for example 256x256", text)
    return (int(match[1]), int(match[2]))


def parse_region(text: str | None, option: str) -> tuple[slice, slice] | None:
    """Read ``Y0:Y1,X0:X1``; open ends are the scan's.

    Parameters
    ----------
    text : str or None
    option : str
        Its name, for the message.

    Raises
    ------
    OptionError
        If it is anything else.
    """
    if text is None:
        return None
    part = r"\s*(\d*)\s*:\s*(\d*)\s*"
    match = re.fullmatch(f"{part},{part}", text)
    if match is None:
        raise _refusal(option, "Y0:Y1,X0:X1, for example 0:16,8:24", text)
    y0, y1, x0, x1 = (int(t) if t else None for t in match.groups())
    return (slice(y0, y1), slice(x0, x1))


def parse_numbers(text: str, option: str, names: str) -> list[float]:
    """Read as many numbers as there are names.

    Parameters
    ----------
    text : str
    option : str
        Its name, for the message.
    names : str
        Of the numbers, separated by commas.

    Raises
    ------
    OptionError
        If there are fewer or more, or no numbers.
    """
    numbers = _numbers(text.split(","))
    if len(numbers) != names.count(",") + 1:
        raise _refusal(option, names, text)
    return numbers


def parse_detector(given: dict[str, str | None]) -> Detector:
    """Make the one detector that was asked for.

    Parameters
    ----------
    given : dict
        Option names, without dashes, to texts.

    Raises
    ------
    OptionError
        If none or several were given, or one cannot be read.
    """
    from brickfield.errors import OptionError
    from brickfield.stem4d import Annulus, Disc, Mask, Rectangle, Wedge

    kinds: dict[str, tuple[str, Any]] = {
        "disc": ("CY,CX,R", Disc),
        "annulus": ("CY,CX,R0,R1", Annulus),
        "wedge": ("CY,CX,R0,R1,A0,A1", Wedge),
        "rectangle": ("Y0,Y1,X0,X1", Rectangle),
    }
    chosen = {name: text for name, text in given.items() if text is not None}
    if len(chosen) != 1:
        known = ", ".join(f"--{name}" for name in given)
        msg = f"expected one of {known}; found {len(chosen)} of them"
        raise OptionError(msg)
    ((name, text),) = chosen.items()
    if name == "mask":
        return Mask.of(_array(text))
    names, kind = kinds[name]
    detector: Detector = kind(*parse_numbers(text, f"--{name}", names))
    return detector


def parse_centres(
    kinds: dict[str, bool], annulus: str | None, shapes: dict[str, str | None]
) -> tuple[Detector | None, str] | tuple[()]:
    """Read what is asked for of centres of mass, and within which detector.

    Parameters
    ----------
    kinds : dict
        What can be asked for, and whether it is.
    annulus : str or None
        The text of ``--com-annulus``, which alone requests centres, too.
    shapes : dict
        Texts of the detectors; one may go with centres.

    Returns
    -------
    tuple
        Detector (None for all pixels) and kind; empty if nothing is asked for.

    Raises
    ------
    OptionError
        If more than one kind or detector is given.
    """
    from brickfield.errors import OptionError
    from brickfield.stem4d import Annulus

    asked = [name for name, is_asked in kinds.items() if is_asked]
    if annulus is not None and not asked:
        asked = ["com"]
    if not asked:
        return ()
    if len(asked) > 1:
        msg = (
            f"expected one of {', '.join(f'--{k}' for k in kinds)}; found {len(asked)}"
        )
        raise OptionError(msg)
    given = [name for name, text in shapes.items() if text is not None]
    if annulus is None:
        return (parse_detector(shapes) if given else None, asked[0])
    if given:
        msg = f"expected one detector; found --com-annulus and --{given[0]}"
        raise OptionError(msg)
    names = "CY,CX,R0,R1"
    return (Annulus(*parse_numbers(annulus, "--com-annulus", names)), asked[0])


def parse_rotation(text: str | None) -> float | str | None:
    """Read degrees, or ``auto``."""
    if text is None or text == "auto":
        return text
    return parse_numbers(text, "--rotation", "DEG")[0]


def _array(path: str) -> Any:
    import numpy as np

    from brickfield.errors import OptionError

    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        msg = f"expected --mask as an array in a .npy file; found {path}: {error}"
        raise OptionError(msg) from error
