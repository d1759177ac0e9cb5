"""Whether a file is what Imaris' own writer would have made, told by its structure alone.

Written from the format, on the low level of the HDF5 library, without any of the code
that it judges.
"""

from __future__ import annotations

import re
from datetime import datetime
from itertools import pairwise
from math import prod
from pathlib import Path

import h5py
import numpy as np

MIB = 1 << 20
DTYPES = {"uint8", "uint16", "uint32", "float32"}
LZ4 = 32004
ROOT = {
    "ImarisDataSet": "ImarisDataSet",
    "ImarisVersion": "5.5.0",
    "DataSetDirectoryName": "DataSet",
    "DataSetInfoDirectoryName": "DataSetInfo",
    "ThumbnailDirectoryName": "Thumbnail",
}
IMAGE = {"X", "Y", "Z", "Unit", "Name", "Description", "RecordingDate"} | {
    f"{word}{i}" for word in ("ExtMin", "ExtMax") for i in range(3)
}
CHANNEL = {"Name", "Description", "Color", "ColorMode", "ColorOpacity", "ColorRange"}


def problems(path, *, own_chunks=False, own_levels=False, lz4=False) -> list[str]:
    """List all that is wrong with a file; nothing for a good one.

    `own_chunks`, `own_levels`: chunks and number of levels need not be the rule's.
    """
    found: list[str] = []
    with Path(path).open("rb") as raw:
        head = raw.read(9)
    if head[:8] != b"\x89HDF\r\n\x1a\n" or head[8] not in (0, 2):
        found.append("superblock")
    with h5py.File(path, "r") as file:
        found += _root(file)
        found += _tree(file, own_chunks=own_chunks, own_levels=own_levels, lz4=lz4)
        found += _info(file)
        found += _thumbnail(file)
        file.visititems(lambda name, item: found.extend(_attributes(name, item)))
        found += _attributes("", file)
    return found


def text(place, name) -> str | None:
    """Read as a C program does that asks for ``H5T_C_S1``: ends at the first zero."""
    if name in place.attrs:
        attribute = h5py.h5a.open(place.id, name.encode())
    elif name in place:
        attribute = place[name].id
    else:
        return None
    raw = np.zeros(attribute.shape, "S1")
    kind = h5py.h5t.C_S1.copy()
    if isinstance(attribute, h5py.h5d.DatasetID):
        attribute.read(h5py.h5s.ALL, h5py.h5s.ALL, raw, mtype=kind)
    else:
        attribute.read(raw, mtype=kind)
    return raw.tobytes().split(b"\0")[0].decode()


def _attributes(name, item) -> list[str]:
    found = []
    for key in item.attrs:
        attribute = h5py.h5a.open(item.id, key.encode())
        kind = attribute.get_type()
        if key == "NumberOfDataSets":
            if attribute.shape != (1,) or not kind.equal(h5py.h5t.NATIVE_UINT32):
                found.append("NumberOfDataSets")
            continue
        where = f"{name}@{key}"
        if kind.get_class() != h5py.h5t.STRING or kind.is_variable_str():
            found.append(f"{where}: class")
            continue
        if kind.get_size() != 1:
            found.append(f"{where}: size")
        if kind.get_strpad() != h5py.h5t.STR_NULLTERM:
            found.append(f"{where}: padding")
        if len(attribute.shape) != 1 or attribute.shape[0] < 1:
            found.append(f"{where}: rank")
        elif attribute.shape[0] > 1024 and name.startswith("DataSetInfo"):
            found.append(f"{where}: long")
    return found


def _root(file) -> list[str]:
    found = [f"root {k}" for k, v in ROOT.items() if text(file, k) != v]
    if set(file.attrs) != {*ROOT, "NumberOfDataSets"}:
        found.append("root attributes")
    if set(file) != {"DataSet", "DataSetInfo", "Thumbnail"}:
        found.append("root groups")
    return found


def _numbered(group, word) -> int:
    """How many children there are, all named by the word and a number from 0."""
    numbers = sorted(
        int(m[1]) for k in group if (m := re.fullmatch(rf"{word} (\d+)", k))
    )
    return len(group) if numbers == list(range(len(group))) else -1


def _tree(file, *, own_chunks, own_levels, lz4) -> list[str]:
    data = file["DataSet"]
    n_levels = _numbered(data, "ResolutionLevel")
    if n_levels < 1:
        return ["levels"]
    found, shapes, spreads = [], [], set()
    for r in range(n_levels):
        level = data[f"ResolutionLevel {r}"]
        n_times = _numbered(level, "TimePoint")
        sizes = set()
        for t in range(n_times):
            time = level[f"TimePoint {t}"]
            n_channels = _numbered(time, "Channel")
            spreads.add((n_times, n_channels))
            for c in range(n_channels):
                problems, size = _channel(time[f"Channel {c}"], own_chunks, lz4)
                found += [f"level {r} time {t} channel {c}: {p}" for p in problems]
                sizes.add(size)
        if len(sizes) != 1:
            return [*found, f"level {r}: sizes"]
        shapes.append(sizes.pop())
    if len(spreads) != 1 or min(min(s) for s in spreads) < 1:
        found.append("time points and channels")
    first = data["ResolutionLevel 0/TimePoint 0/Channel 0/Data"]
    wanted = _level_rule(
        shapes[0], first.dtype.itemsize, n_levels if own_levels else None
    )
    if shapes != wanted:
        found.append(f"level rule: {shapes} instead of {wanted}")
    return found


def _level_rule(shape, itemsize, n_levels):
    shapes = [shape]
    while (
        prod(shapes[-1]) * itemsize > MIB
        if n_levels is None
        else len(shapes) < n_levels
    ):
        z, y, x = shapes[-1]
        halved = (
            z // 2 if z > 1 and 100 * z * z > y * x else z,
            y // 2 if y > 1 and 100 * y * y > z * x else y,
            x // 2 if x > 1 and 100 * x * x > z * y else x,
        )
        if halved == shapes[-1]:
            break
        shapes.append(halved)
    return shapes


def _channel(group, own_chunks, lz4):
    found = []
    size = tuple(int(text(group, f"ImageSize{a}") or 0) for a in "ZYX")
    data = group.get("Data")
    if data is None or data.ndim != 3 or data.chunks is None or min(size) < 1:
        return ["data"], size
    if data.dtype.name not in DTYPES:
        found.append("dtype")
    padded = tuple(-(-n // c) * c for n, c in zip(size, data.chunks, strict=True))
    if data.shape != padded:
        found.append("padded shape")
    z, y, x = data.chunks
    n_bytes = prod(data.chunks) * data.dtype.itemsize
    is_power = all(c & (c - 1) == 0 for c in data.chunks)
    if not own_chunks and (n_bytes > MIB or not is_power or (size[0] > 1 and x != y)):
        found.append("chunk")
    if not own_chunks and (z < 3 if size[0] > 1 else z != 1):
        found.append("chunk depth")
    plist = data.id.get_create_plist()
    codes = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    compressors = {h5py.h5z.FILTER_DEFLATE, *([LZ4] if lz4 else [])}
    if codes[:1] == [h5py.h5z.FILTER_SHUFFLE]:
        del codes[0]
    if len(codes) > 1 or set(codes) - compressors:
        found.append("filters")
    if data.id.get_num_chunks() != prod(
        n // c for n, c in zip(data.shape, data.chunks, strict=True)
    ):
        found.append("chunks missing")
    voxels = data[...]
    inside = voxels[: size[0], : size[1], : size[2]]
    if np.count_nonzero(voxels) != np.count_nonzero(inside):
        found.append("padding")
    return found + _histograms(group, inside), size


def _histograms(group, voxels):
    found = []
    n_counted = (
        int(np.isfinite(voxels).sum()) if voxels.dtype.kind == "f" else voxels.size
    )
    names = [""] if voxels.dtype.itemsize == 1 else ["", "1024"]
    if ("Histogram1024" in group) != (len(names) == 2):
        found.append("histogram 1024")
    for name in names:
        counts = group.get(f"Histogram{name}")
        if counts is None or counts.dtype != np.uint64 or counts.ndim != 1:
            found.append(f"histogram {name}")
            continue
        n = len(counts)
        if n != 256 if name == "" else not 256 < n <= 1024:
            found.append(f"histogram {name} bins")
        if int(counts[...].sum()) != n_counted:
            found.append(f"histogram {name} sum")
        ends = [text(group, f"Histogram{e}{name}") for e in ("Min", "Max")]
        try:
            low, high = (float(e) for e in ends)
        except (TypeError, ValueError):
            found.append(f"histogram {name} range")
            continue
        if low > high or (voxels.dtype == np.uint8 and (low, high) != (0, 255)):
            found.append(f"histogram {name} range")
    return found


def _info(file) -> list[str]:
    info = file["DataSetInfo"]
    image = info.get("Image")
    if image is None or any(text(image, k) is None for k in IMAGE):
        return ["image"]
    found = []
    first = file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 0"]
    if any(text(image, a) != text(first, f"ImageSize{a}") for a in "XYZ"):
        found.append("image size")
    found += [
        f"extent {i}"
        for i in range(3)
        if not float(text(image, f"ExtMin{i}")) < float(text(image, f"ExtMax{i}"))
    ]
    if text(image, "Unit") not in ("nm", "um", "mm", "m"):
        found.append("unit")
    times = file["DataSet/ResolutionLevel 0"]
    n_channels = len(times["TimePoint 0"])
    for c in range(n_channels):
        group = info.get(f"Channel {c}")
        if group is None or any(text(group, k) is None for k in CHANNEL):
            found.append(f"channel {c}")
            continue
        color = [float(v) for v in text(group, "Color").split()]
        span = [float(v) for v in text(group, "ColorRange").split()]
        if len(color) != 3 or min(color) < 0 or max(color) > 1:
            found.append(f"channel {c} color")
        if len(span) != 2 or span[0] >= span[1]:
            found.append(f"channel {c} range")
    return found + _times(info, len(times)) + _rest(info)


def _times(info, n_times) -> list[str]:
    group = info.get("TimeInfo")
    if group is None:
        return ["times"]
    counts = [text(group, k) for k in ("DatasetTimePoints", "FileTimePoints")]
    texts = [text(group, f"TimePoint{i + 1}") or "" for i in range(n_times)]
    if counts != [str(n_times)] * 2 or text(group, f"TimePoint{n_times + 1}"):
        return ["number of times"]
    if not all(
        re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", t) for t in texts
    ):
        return ["form of times"]
    dates = [datetime.fromisoformat(t) for t in texts]
    return [] if all(a < b for a, b in pairwise(dates)) else ["order of times"]


def _rest(info) -> list[str]:
    found = []
    if "Log" not in info or text(info["Log"], "Entries") != "0":
        found.append("log")
    about = info.get("ImarisDataSet")
    if (
        about is None
        or text(about, "NumberOfImages") != "1"
        or not text(about, "Creator")
    ):
        found.append("creator")
    return found


def _thumbnail(file) -> list[str]:
    data = file["Thumbnail"].get("Data")
    is_good = data is not None and data.shape == (256, 1024) and data.dtype == np.uint8
    return [] if is_good else ["thumbnail"]
