"""Choosing one of several images in a store, by name or by position."""

from __future__ import annotations

from collections.abc import Sequence

from brickfield.errors import OptionError


def series_index(names: Sequence[str], series: int | str | None, *, where: str) -> int:
    """Position of the chosen image; the first when none is asked for.

    Parameters
    ----------
    names : sequence of str
    series : int, str or None
        A name, or a position (also as text, unless an image has that name).
    where : str
        Place for the message.

    Raises
    ------
    OptionError
        If there is no such image.
    """
    if series is None:
        return 0
    text = str(series).strip("/")
    plain = [name.strip("/") for name in names]
    if text in plain and not isinstance(series, int):
        return plain.index(text)
    if text.isdigit() and int(text) < len(names):
        return int(text)
    known = ", ".join(name or "0" for name in names)
    msg = (
        f"expected one of the series {known} of {where}, or a position; found {series}"
    )
    raise OptionError(msg)
