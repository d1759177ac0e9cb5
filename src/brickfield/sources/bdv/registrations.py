"""A BigDataViewer project written anew with other registrations."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree as ET

import numpy as np

from brickfield.model import AffineTransform
from brickfield.sources.bdv.source import read_document
from brickfield.sources.bdv.views import groups_by_series

_ZYX = [2, 1, 0, 3]


def with_registrations(
    uri: str, matrices: Mapping[tuple[str, int | None], AffineTransform], base: str
) -> str:
    """Return the text of a project like another one, with new registrations.

    Parameters
    ----------
    uri : str
        The project that is like it; it is only read.
    matrices : mapping of (str, int or None) to AffineTransform
        By name of a view (as :func:`~brickfield.sources.bdv.views.list_views` gives
        it) and index of its time point: from voxel index (z, y, x) to world. Views that
        are not named keep their registrations.
    base : str
        Folder of `uri`, relative to that of the new file.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreUnreachableError
    """
    data, text = read_document(uri)
    # Entities were refused when the document was read.
    root = ET.fromstring(text)  # noqa: S314
    wanted: dict[tuple[int, int], AffineTransform] = {}
    for series, setups in groups_by_series(data):
        for i, time in enumerate(data.times):
            moved = matrices.get((f"{series} t{time}", i), matrices.get((series, None)))
            if moved is not None:
                wanted |= {(time, setup.number): moved for setup in setups}
    for view in root.iterfind("ViewRegistrations/ViewRegistration"):
        key = int(view.get("timepoint", 0)), int(view.get("setup", 0))
        if key in wanted:
            _replace(view, wanted[key])
    _rebase(root, data.base, base)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode")


def _replace(view: ET.Element, matrix: AffineTransform) -> None:
    for child in list(view):
        view.remove(child)
    transform = ET.SubElement(view, "ViewTransform", {"type": "affine"})
    ET.SubElement(transform, "Name").text = "placed by hand"
    rows = matrix.matrix[_ZYX][:, _ZYX][:3]
    ET.SubElement(transform, "affine").text = " ".join(
        np.format_float_positional(v, trim="0") for v in rows.ravel()
    )


def _rebase(root: ET.Element, old: str, folder: str) -> None:
    """Let the data be found from another folder."""
    element = root.find("BasePath")
    if element is None:
        element = ET.Element("BasePath", {"type": "relative"})
        root.insert(0, element)
    if element.get("type", "relative") == "relative":
        parts = [p for p in (folder, old) if p not in ("", ".")]
        element.text = "/".join(parts) or "."
