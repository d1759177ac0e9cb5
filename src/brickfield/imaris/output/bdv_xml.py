"""The file by which BigDataViewer, BigWarp and BigStitcher open an Imaris file.

One view setup a channel, one registration for each of its time points: from voxels to
the world, x before y before z, the centre of a voxel at its whole numbers.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from brickfield.imaris.planning.plan import PreparedExport
from brickfield.writing import write_text

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not have, not even escaped."""


def xml_path(target: Path) -> Path:
    """Return where the file lies that leads to an Imaris file."""
    return target.with_suffix(".xml")


def write_bdv_xml(target: Path, prepared: PreparedExport) -> Path:
    """Write ``NAME.xml`` beside ``NAME.ims``.

    Parameters
    ----------
    target : Path
        The Imaris file.
    prepared : PreparedExport

    Returns
    -------
    Path

    Raises
    ------
    StoreWriteError
    """
    root = ET.Element("SpimData", version="0.2")
    ET.SubElement(root, "BasePath", type="relative").text = "."
    sequence = ET.SubElement(root, "SequenceDescription")
    loader = ET.SubElement(sequence, "ImageLoader", format="bdv.imaris")
    ET.SubElement(loader, "imaris", type="relative").text = target.name
    _setups(sequence, prepared)
    points = ET.SubElement(sequence, "Timepoints", type="range")
    n_times = prepared.plan.n_times
    ET.SubElement(points, "first").text = "0"
    ET.SubElement(points, "last").text = str(n_times - 1)
    registrations = ET.SubElement(root, "ViewRegistrations")
    affine = " ".join(f"{v:.12g}" for v in _affine(prepared))
    for time in range(n_times):
        for channel in range(prepared.plan.n_channels):
            view = ET.SubElement(
                registrations,
                "ViewRegistration",
                timepoint=str(time),
                setup=str(channel),
            )
            step = ET.SubElement(view, "ViewTransform", type="affine")
            ET.SubElement(step, "affine").text = affine
    ET.indent(root)
    path = xml_path(target)
    write_text(path, ET.tostring(root, "unicode", xml_declaration=True) + "\n")
    return path


def _setups(sequence: ET.Element, prepared: PreparedExport) -> None:
    setups = ET.SubElement(sequence, "ViewSetups")
    shape = prepared.image.shape
    size = _voxel_size(prepared)
    names = [_NO_XML.sub("\ufffd", c.name) for c in prepared.image.channels]
    for number, name in enumerate(names):
        setup = ET.SubElement(setups, "ViewSetup")
        ET.SubElement(setup, "id").text = str(number)
        ET.SubElement(setup, "name").text = name
        ET.SubElement(setup, "size").text = " ".join(str(n) for n in reversed(shape))
        voxel = ET.SubElement(setup, "voxelSize")
        ET.SubElement(voxel, "unit").text = prepared.space.unit
        ET.SubElement(voxel, "size").text = " ".join(f"{v:.12g}" for v in size)
        attributes = ET.SubElement(setup, "attributes")
        ET.SubElement(attributes, "channel").text = str(number)
    known = ET.SubElement(setups, "Attributes", name="channel")
    for number, name in enumerate(names):
        channel = ET.SubElement(known, "Channel")
        ET.SubElement(channel, "id").text = str(number)
        ET.SubElement(channel, "name").text = name


def _voxel_size(prepared: PreparedExport) -> tuple[float, ...]:
    """Along x, y, z."""
    return tuple(
        e / n
        for e, n in zip(
            reversed(prepared.space.extent), reversed(prepared.image.shape), strict=True
        )
    )


def _affine(prepared: PreparedExport) -> tuple[float, ...]:
    x, y, z = _voxel_size(prepared)
    low = tuple(reversed(prepared.space.low))
    return (x, 0, 0, low[0] + x / 2, 0, y, 0, low[1] + y / 2, 0, 0, z, low[2] + z / 2)
