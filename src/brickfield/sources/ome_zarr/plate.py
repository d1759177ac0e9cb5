"""Plates and wells of OME-Zarr: what can be chosen, and what is odd.

Only paths are needed to open an image. So whatever else a plate or well says
wrongly is noted and does not matter; without any usable path there is nothing
to open, and that is an error which names the field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from brickfield.errors import OptionError, StoreFormatError
from brickfield.sources.geometry import Findings
from brickfield.sources.ome_zarr.metadata import clean_path, read_version

Json = dict[str, Any]


def read_wells(attributes: Json, plate: Any, findings: Findings) -> tuple[str, ...]:
    """Read the paths of a plate's wells, for example ``"A/1"``.

    Parameters
    ----------
    attributes : Json
        Of the group.
    plate
        Value of ``plate`` in the file.
    findings : Findings
        Receives what is odd.

    Raises
    ------
    StoreFormatError
        If there is none.
    """
    if not isinstance(plate, dict):
        msg = f"expected an object in plate; found {plate!r:.40}"
        raise StoreFormatError(msg)
    read_version(attributes, plate, "plate", findings)
    for name in ("rows", "columns"):
        _check_names(plate.get(name), f"plate.{name}", findings)
    _check_acquisitions(plate.get("acquisitions"), findings)
    count = plate.get("field_count")
    if count is not None and not _is_whole(count, least=1):
        _odd(findings, "plate.field_count", "a whole number above 0", count)
    if not isinstance(plate.get("name"), str):
        findings.info("plate", "plate.name", "expected plate.name; found none")
    wells = plate.get("wells")
    paths = _paths(wells, "plate.wells", findings)
    if isinstance(wells, list):
        _check_wells(wells, findings)
    if not paths:
        msg = f"expected the path of a well or more in plate.wells; found {wells!r:.60}"
        raise StoreFormatError(msg)
    return paths


def read_fields(attributes: Json, well: Any, findings: Findings) -> tuple[str, ...]:
    """Read the paths of a well's images.

    Parameters
    ----------
    attributes : Json
        Of the group.
    well
        Value of ``well`` in the file.
    findings : Findings
        Receives what is odd.

    Raises
    ------
    StoreFormatError
        If there is none.
    """
    if not isinstance(well, dict):
        msg = f"expected an object in well; found {well!r:.40}"
        raise StoreFormatError(msg)
    read_version(attributes, well, "well", findings)
    images = well.get("images")
    paths = _paths(images, "well.images", findings)
    for i, image in enumerate(images if isinstance(images, list) else []):
        number = image.get("acquisition") if isinstance(image, dict) else None
        if number is not None and not _is_whole(number, least=0):
            _odd(findings, f"well.images[{i}].acquisition", "a whole number", number)
    if not paths:
        msg = f"expected the path of an image or more in well.images; found {images!r:.60}"
        raise StoreFormatError(msg)
    return paths


def choose(wanted: int | str | None, names: tuple[str, ...], what: str) -> int:
    """Choose by position or by name; the first by default.

    Parameters
    ----------
    wanted : int, str or None
        Position or name; None for the first.
    names : tuple of str
    what : str
        What is chosen, for the message.

    Returns
    -------
    int
        Position in `names`.

    Raises
    ------
    OptionError
        If there is none of that name or position.
    """
    if wanted is None:
        return 0
    if isinstance(wanted, str):
        for normal in (str, _loose):
            found = [i for i, n in enumerate(names) if normal(n) == normal(wanted)]
            if found:
                return found[0]
        number = int(wanted) if wanted.isdecimal() else -1
    else:
        number = wanted
    if 0 <= number < len(names):
        return number
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    msg = f"expected a {what} out of {shown or 'none'}; found {wanted!r}"
    raise OptionError(msg)


def _loose(name: str) -> str:
    """Compare "A1", "a/1" and "A/01" as equal."""
    parts = name.replace("/", "").upper()
    letters = parts.rstrip("0123456789")
    return letters + parts[len(letters) :].lstrip("0")


def _paths(items: Any, where: str, findings: Findings) -> tuple[str, ...]:
    if not isinstance(items, list) or not items:
        _odd(findings, where, "a list with entries", items)
        return ()
    found: list[str] = []
    for i, item in enumerate(items):
        path = item.get("path") if isinstance(item, dict) else None
        clean = clean_path(path)
        if clean is None:
            _odd(findings, f"{where}[{i}].path", "a path inside the store", path)
        elif clean in found:
            _odd(findings, f"{where}[{i}].path", "every path once", path)
        else:
            _check_letters(clean, f"{where}[{i}].path", findings)
            found.append(clean)
    return tuple(found)


def _check_letters(path: str, where: str, findings: Findings) -> None:
    if not all(part.isalnum() and part.isascii() for part in path.split("/")):
        _odd(findings, where, "letters and digits", path)


def _check_wells(wells: list[Any], findings: Findings) -> None:
    for i, well in enumerate(w for w in wells if isinstance(w, dict)):
        at = f"plate.wells[{i}]"
        path = str(well.get("path", ""))
        if len(path.strip("/").split("/")) != 2:
            _odd(findings, f"{at}.path", "a row and a column", path)
        for name in ("rowIndex", "columnIndex"):
            if not _is_whole(well.get(name), least=0):
                _odd(findings, f"{at}.{name}", "a whole number", well.get(name))


def _check_names(items: Any, where: str, findings: Findings) -> None:
    if not isinstance(items, list) or not items:
        _odd(findings, where, "a list with entries", items)
        return
    seen = set()
    for i, item in enumerate(items):
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or not name.isalnum():
            _odd(findings, f"{where}[{i}].name", "letters and digits", name)
        elif name in seen:
            _odd(findings, f"{where}[{i}].name", "every name once", name)
        seen.add(name)


def _check_acquisitions(items: Any, findings: Findings) -> None:
    where = "plate.acquisitions"
    if items is None:
        return
    if not isinstance(items, list):
        _odd(findings, where, "a list", items)
        return
    rules: dict[str, Callable[[Any], bool]] = {
        "id": lambda v: _is_whole(v, least=0),
        "maximumfieldcount": lambda v: _is_whole(v, least=1),
        "starttime": lambda v: _is_whole(v, least=0),
        "endtime": lambda v: _is_whole(v, least=0),
    }
    for i, item in enumerate(items):
        if not isinstance(item, dict):
            _odd(findings, f"{where}[{i}]", "an object", item)
            continue
        for name, is_good in rules.items():
            if (name in item or name == "id") and not is_good(item.get(name)):
                _odd(findings, f"{where}[{i}].{name}", "a whole number", item.get(name))
        for name in _absent(item, ("name", "maximumfieldcount")):
            at = f"{where}[{i}].{name}"
            findings.info("plate", at, f"expected {at}; found none")


def _absent(item: Json, names: Iterable[str]) -> list[str]:
    return [n for n in names if n not in item]


def _is_whole(value: Any, *, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _odd(findings: Findings, where: str, expected: str, found: Any) -> None:
    findings.warning(
        where.partition(".")[0],
        where,
        f"expected {expected} in {where}; found {found!r:.40}",
    )
