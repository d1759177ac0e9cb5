"""From the name of an image to the options that open it.

Invariant: reads the root's metadata and, of a plate, the one well that is named. So
a name opens as fast in a plate of 384 wells as in one of two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from brickfield.errors import OptionError
from brickfield.sources.boundary import shown
from brickfield.sources.images.catalogue import Catalogue
from brickfield.sources.images.entry import LABELS, ImageEntry

_CHOICES = ("series", "well", "field")
_READING = ("treat_403_as_missing", "follow_links")
_SHOWN = 12


def without_image(uri: str, options: dict[str, Any]) -> dict[str, Any]:
    """Put what opens an image in place of its name.

    Parameters
    ----------
    uri : str
    options : dict
        As for :func:`brickfield.sources.open_source`, perhaps with `image`.

    Returns
    -------
    dict
        Without `image`.

    Raises
    ------
    OptionError
        If there is no such image, or it is chosen in two ways.
    """
    options = dict(options)
    image = options.pop("image", None)
    if image is None:
        return options
    if not isinstance(image, str | int):
        msg = (
            f"expected the name of one image; found {image!r:.60}: open_volume takes"
            " several"
        )
        raise OptionError(msg)
    twice = [name for name in _CHOICES if options.get(name) is not None]
    if twice:
        msg = f"expected image or {twice[0]}, one of the two; found both"
        raise OptionError(msg)
    reading = {k: v for k, v in options.items() if k in _READING and v}
    return {**find_image(uri, str(image), **reading), **options}


def find_image(uri: str, name: str, **reading: Any) -> dict[str, str]:
    """Find what opens an image.

    Parameters
    ----------
    uri : str
    name : str
        As ``brickfield info`` lists it; of a well alone, its first field.
    **reading
        As for :class:`~brickfield.sources.images.catalogue.Catalogue`.

    Returns
    -------
    dict
        `series`, `well`, `field` and `label`, as far as they are needed.

    Raises
    ------
    OptionError
        If there is no such image.
    """
    catalogue = Catalogue(uri, **reading)
    wanted = name.strip().strip("/")
    if catalogue.plate is not None:
        found, names = _in_plate(catalogue, wanted)
    else:
        found, names = _in_others(catalogue, wanted, name)
    if found is not None:
        return dict(found.options)
    listed = ", ".join(names[:_SHOWN]) + (", …" if names[_SHOWN:] else "")
    msg = f"expected an image out of {listed or 'none'}; found {shown(name)}"
    raise OptionError(msg)


def _in_plate(
    catalogue: Catalogue, wanted: str
) -> tuple[ImageEntry | None, Sequence[str]]:
    assert catalogue.plate is not None
    wells = [well.path for well in catalogue.plate.wells]
    for well in wells:
        if wanted == well:
            return ImageEntry(well, "field", {"well": well}), wells
        if wanted.startswith(f"{well}/"):
            fields = catalogue.fields_of([well])
            found = next((e for e in fields if e.name == wanted), None)
            return found, [e.name for e in fields]
    return None, wells


def _in_others(
    catalogue: Catalogue, wanted: str, name: str
) -> tuple[ImageEntry | None, Sequence[str]]:
    bare = catalogue.chosen()
    # A name as it is listed goes before everything that is like it.
    for entry in bare:
        if name == entry.name and entry.options:
            return entry, []
    entries = catalogue.entries()
    names = [entry.name for entry in entries]
    for entry in entries:
        short = entry.name.strip("/")
        if wanted in (short, short.replace(f"/{LABELS}/", "/")):
            return entry, names
    first = entries[0].name if entries else ""
    for entry in entries:
        if wanted == f"{LABELS}/{entry.name}" or f"{first}/{wanted}" == entry.name:
            return entry, names
    # A folder of a series that is listed by a name of its own.
    folder = catalogue.described(ImageEntry(name, "image", {"series": name}))
    return folder if catalogue.info.series else None, names
