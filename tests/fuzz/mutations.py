"""Ways in which a file can be wrong; each changes one place of one file.

A mutation takes the random numbers and a folder with an image, and returns words
for what it did, or None where the image has nothing that it could change.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np

HUGE = (10**18, 2**31, 2**63, 2**64, 10**30, 10**400, 1e30, 1e308, 4294967297)
SMALL = (0, -1, -(2**63), -1e30, 0.5, 1e-320)
TEXTS = ("", "abc", "12", "\0", "../../x", "x" * 5000, "µ/\ud7ff", "1 2", "NaN", "é")
OTHERS = ([], {}, [[]], [1], {"a": 1}, True, [None], [[1, 2], [3]], [1, "a"])
NUMBERS = re.compile(rb"-?\d+(?:\.\d+)?")
Mutation = Callable[[Random, Path], str | None]


# -- bytes ------------------------------------------------------------------------


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def _in_bytes(change: Callable[[Random, bytes], bytes]) -> Mutation:
    def mutate(rng: Random, folder: Path) -> str:
        file = rng.choice(_files(folder))
        file.write_bytes(change(rng, file.read_bytes()))
        return file.name

    return mutate


def _flipped(rng: Random, raw: bytes) -> bytes:
    data = bytearray(raw)
    end = rng.choice((64, 512, 4096, len(data)))
    for _ in range(rng.choice((1, 4, 32)) if data else 0):
        data[rng.randrange(min(end, len(data)))] ^= 1 << rng.randrange(8)
    return bytes(data)


def _truncated(rng: Random, raw: bytes) -> bytes:
    return raw[: rng.randrange(len(raw))] if raw else raw


def _noise(rng: Random, raw: bytes) -> bytes:
    at = rng.randrange(len(raw) + 1)
    return raw[:at] + rng.randbytes(16) + raw[at + 16 :]


def _no_utf_8(rng: Random, raw: bytes) -> bytes:
    at = rng.randrange(len(raw) + 1)
    return raw[:at] + b"\xff\xfe\xed\xa0\x80" + raw[at:]


def swapped(rng: Random, folder: Path) -> str | None:
    files = _files(folder)
    if len(files) < 2:
        return None
    one, other = rng.sample(files, 2)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    return f"{one.name} and {other.name}"


def folder_for_file(rng: Random, folder: Path) -> str | None:
    files = _files(folder)
    file = rng.choice(files)
    file.unlink()
    if len(files) > 1:
        file.mkdir()
    return file.name


def removed(rng: Random, folder: Path) -> str | None:
    """A file or a folder is gone."""
    places = sorted(folder.rglob("*"))
    place = rng.choice(places)
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()
    return place.name


# -- values -----------------------------------------------------------------------


def _valued(values: tuple[Any, ...]) -> Mutation:
    def mutate(rng: Random, folder: Path) -> str | None:
        return _set_value(rng, folder, rng.choice(values))

    return mutate


def _set_value(rng: Random, folder: Path, value: Any) -> str | None:
    places = _valued_files(folder)
    if not places:
        return None
    file = rng.choice(places)
    if file.suffix in (".h5", ".ims", ".emd"):
        return _set_attribute(rng, file, value)
    if file.suffix in (".xml", ".tif"):
        return _set_number(rng, file, value)
    document = json.loads(file.read_text())
    path, node, key = rng.choice(_places(document))
    node[key] = value
    file.write_text(json.dumps(document))
    return f"{path} of {file.name}: {value!r:.20}"


def _valued_files(folder: Path) -> list[Path]:
    return _documents(folder) + [p for p in _files(folder) if p.suffix in _STRUCTURED]


def _documents(folder: Path) -> list[Path]:
    """List the JSON files that hold something."""
    return [p for p in _files(folder) if _is_json(p) and json.loads(p.read_text())]


_STRUCTURED = (".h5", ".ims", ".emd", ".xml", ".tif")


def _is_json(file: Path) -> bool:
    names = ("info", ".zattrs", ".zarray", ".zgroup", ".zmetadata")
    return file.suffix == ".json" or file.name in names


def _places(node: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    found: list[tuple[str, Any, Any]] = []
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs:
        here = f"{path}.{key}"
        found.append((here, node, key))
        if isinstance(value, dict | list):
            found += _places(value, here)
    return found


def _set_number(rng: Random, file: Path, value: Any) -> str | None:
    raw = file.read_bytes()
    end = len(raw) if file.suffix == ".xml" else 2000
    found = list(NUMBERS.finditer(raw, 0, end))
    if not found:
        return None
    match = rng.choice(found)
    text = str(value).encode("utf-8", "surrogatepass")
    if file.suffix == ".tif":  # the places of all else must stay
        text = text[: match.end() - match.start()].ljust(match.end() - match.start())
    file.write_bytes(raw[: match.start()] + text + raw[match.end() :])
    return f"{match[0]!r} of {file.name}: {value!r:.20}"


def _set_attribute(rng: Random, file: Path, value: Any) -> str | None:
    with h5py.File(file, "r+") as opened:
        places = []
        opened.visititems(lambda _, node: places.extend((node, k) for k in node.attrs))
        places += [(opened, key) for key in opened.attrs]
        if not places:
            return None
        node, key = rng.choice(places)
        words = f"{key} of {node.name}: {value!r:.20}"
        try:
            letters = str(value).encode("utf-8", "replace").replace(b"\0", b"?")
            if rng.random() < 0.5 or not isinstance(value, int | float):
                node.attrs[key] = np.frombuffer(letters[:200] or b"?", "S1")
            else:
                node.attrs[key] = value
        except (TypeError, ValueError, OverflowError, OSError):
            node.attrs[key] = h5py.Empty("f")
    return words


def without_a_key(rng: Random, folder: Path) -> str | None:
    files = _documents(folder)
    if not files:
        return None
    file = rng.choice(files)
    document = json.loads(file.read_text())
    path, node, key = rng.choice(_places(document))
    del node[key]
    file.write_text(json.dumps(document))
    return f"{path} of {file.name}"


def a_key_twice(rng: Random, folder: Path) -> str | None:
    files = [p for p in _files(folder) if _is_json(p)]
    if not files:
        return None
    file = rng.choice(files)
    text = file.read_text()
    keys = re.findall(r'"(\w+)"\s*:', text)
    if not keys:
        return None
    key = rng.choice(keys)
    at = text.index(f'"{key}"')
    file.write_text(f'{text[:at]}"{key}": [9], {text[at:]}')
    return f"{key} of {file.name}"


def deep(rng: Random, folder: Path) -> str | None:
    """Nested far deeper than any parser's stack."""
    files = [p for p in _files(folder) if _is_json(p) or p.suffix == ".xml"]
    if not files:
        return None
    file = rng.choice(files)
    n = rng.choice((500, 3000, 100_000))
    if file.suffix == ".xml":
        text = file.read_text()
        file.write_text(text.replace("<id>0</id>", "<a>" * n + "0" + "</a>" * n))
    elif rng.random() < 0.5:
        file.write_text("[" * n + "]" * n)
    else:
        text = file.read_text().lstrip()
        file.write_text('{"deep": ' + '{"a":' * n + "1" + "}" * n + "," + text[1:])
    return f"{n} in {file.name}"


# -- HDF5 ------------------------------------------------------------------------


def other_dataset(rng: Random, folder: Path) -> str | None:
    """A dataset of another type, shape or kind, or none, in place of one."""
    files = [p for p in _files(folder) if p.suffix in (".h5", ".ims", ".emd")]
    if not files:
        return None
    with h5py.File(rng.choice(files), "r+") as opened:
        names: list[str] = []
        opened.visit(names.append)
        name = rng.choice(names)
        del opened[name]
        kind = rng.choice(sorted(_DATASETS))
        _DATASETS[kind](opened, name)
    return f"{name} is {kind}"


def _compound(file: Any, name: str) -> None:
    file[name] = np.zeros((4, 5, 6), [("a", "u2"), ("b", "f4")])


def _empty(file: Any, name: str) -> None:
    file.create_dataset(name, (0, 20, 28), "u2", chunks=(1, 5, 7), maxshape=(None,) * 3)


def _enormous(file: Any, name: str) -> None:
    file.create_dataset(name, (2**40, 2**20, 2**3), "u2", chunks=(16, 16, 8))


_DATASETS: dict[str, Callable[[Any, str], None]] = {
    "gone": lambda _file, _name: None,
    "compound": _compound,
    "of no voxel": _empty,
    "enormous": _enormous,
    "a number": lambda file, name: file.__setitem__(name, 3.5),
    "a text": lambda file, name: file.__setitem__(name, "text"),
    "null": lambda file, name: file.__setitem__(name, h5py.Empty("f4")),
    "a row": lambda file, name: file.__setitem__(name, np.arange(9)),
    "of seven axes": lambda f, name: f.__setitem__(name, np.zeros((1, 2) * 3 + (1,))),
    "of texts": lambda file, name: file.__setitem__(name, np.array([b"a", b"b"])),
    "complex": lambda file, name: file.__setitem__(name, np.zeros((4, 5, 6), "c8")),
    "a group": lambda file, name: file.create_group(name),
    "a loop": lambda file, name: file.__setitem__(name, h5py.SoftLink(f"/{name}")),
}

MUTATIONS: dict[str, Mutation] = {
    "bits": _in_bytes(_flipped),
    "truncated": _in_bytes(_truncated),
    "empty": _in_bytes(lambda _rng, _raw: b""),
    "noise": _in_bytes(_noise),
    "no UTF-8": _in_bytes(_no_utf_8),
    "swapped": swapped,
    "folder for file": folder_for_file,
    "removed": removed,
    "huge": _valued(HUGE),
    "small": _valued(SMALL),
    "text": _valued(TEXTS),
    "null": _valued((None,)),
    "not finite": _valued((float("nan"), float("inf"), float("-inf"))),
    "other kind": _valued(OTHERS),
    "key gone": without_a_key,
    "key twice": a_key_twice,
    "deep": deep,
    "dataset": other_dataset,
}
