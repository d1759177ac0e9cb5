"""Text as Imaris stores it: arrays of one-byte strings, ended by a zero.

The type is the string type of C, one byte long and NULL-*terminated*. numpy's ``S1``
becomes NULL-*padded* in HDF5; a C program that reads it as ``H5T_C_S1`` then gets empty
strings, and Imaris shows a file without names or sizes. So the type is made here and
nowhere else.
"""

from __future__ import annotations

from typing import Any

import numpy as np

LONGEST_ATTRIBUTE = 1024
"""Bytes; longer texts of the info group are data sets of the same type."""


def encode_name(name: str) -> str:
    """Return a name as a group or data set may have it: ``%`` and ``/`` replaced."""
    return name.replace("%", "%p").replace("/", "%s")


def write_text(
    place: Any, name: str, text: str, *, long_as_dataset: bool = False
) -> None:
    """Write a text attribute; the caller holds the HDF5 lock.

    Parameters
    ----------
    place : h5py.Group
        An attribute of that name must not be there yet.
    name : str
    text : str
        Stored as UTF-8; an empty one as one zero byte. Zero characters, which end a
        string in C, are left out.
    long_as_dataset : bool
        Whether what is longer than :data:`LONGEST_ATTRIBUTE` becomes a data set.
    """
    import h5py

    raw = text.replace("\0", "").encode("utf-8", "replace")
    values = np.frombuffer(raw or b"\0", dtype="S1").copy()
    kind = h5py.h5t.C_S1.copy()
    space = h5py.h5s.create_simple((len(values),))
    if long_as_dataset and len(raw) > LONGEST_ATTRIBUTE:
        made = h5py.h5d.create(place.id, encode_name(name).encode(), kind, space)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, values, mtype=kind)
        return
    made = h5py.h5a.create(place.id, name.encode(), kind, space)
    made.write(values, mtype=kind)
