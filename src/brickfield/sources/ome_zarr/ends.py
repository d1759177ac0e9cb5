"""What a 0.6 transformation starts from and leads to: checked, never needed to draw.

The ends of a transformation are objects with the path of an array or image and the
name of a coordinate system; development versions wrote texts. An end of another
form, or one that names what is not there, is a finding. So is a transformation of a
level that is more than a scale and a translation.
"""

from __future__ import annotations

from typing import Any

from brickfield.sources.geometry import Findings

Json = dict[str, Any]
_OF_LEVELS = ("scale", "translation", "identity", "sequence")


def check_ends(multiscale: Json, where: str, findings: Findings) -> None:
    """Note what is odd in the ends of an image's transformations.

    Parameters
    ----------
    multiscale : dict
        ``multiscales[i]`` with coordinate systems.
    where : str
        Place in the metadata.
    """
    systems = _names_of(multiscale.get("coordinateSystems"))
    for i, dataset in enumerate(_objects(multiscale.get("datasets"))):
        path = dataset.get("path")
        for at, item in _transforms(dataset, f"{where}.datasets[{i}]"):
            _check_end(item, "input", at, findings, (path,))
            _check_end(item, "output", at, findings, systems)
            _check_kind(item, at, findings)
    for at, item in _transforms(multiscale, where):
        for end in ("input", "output"):
            _check_end(item, end, at, findings, systems)


def check_scene_ends(scene: Json, findings: Findings) -> None:
    """Note ends of a scene's transformations that have a wrong form.

    Parameters
    ----------
    scene : dict
        ``scene`` of a group.
    """
    for at, item in _transforms(scene, "scene"):
        for end in ("input", "output"):
            _check_end(item, end, at, findings, None)


def _objects(value: Any) -> list[Json]:
    items = value if isinstance(value, list) else []
    return [item if isinstance(item, dict) else {} for item in items]


def _transforms(owner: Json, where: str) -> list[tuple[str, Json]]:
    name = "coordinateTransformations"
    listed = owner.get(name)
    items = listed if isinstance(listed, list) else []
    return [
        (f"{where}.{name}[{i}]", item)
        for i, item in enumerate(items)
        if isinstance(item, dict)
    ]


def _names_of(systems: Any) -> tuple[Any, ...]:
    return tuple(system.get("name") for system in _objects(systems))


def _check_end(
    item: Json, end: str, where: str, findings: Findings, known: tuple[Any, ...] | None
) -> None:
    at, value = f"{where}.{end}", item.get(end)
    members = [value]
    if isinstance(value, dict):
        members = [value[key] for key in ("path", "name") if value.get(key) is not None]
    if not members or not all(isinstance(m, str) and m for m in members):
        findings.warning(
            "transform-end",
            at,
            f"expected an object with a path or name in {at}; found {value!r:.60}",
        )
    elif known is not None and not set(members) & set(_hashable(known)):
        findings.warning(
            "transform-end",
            at,
            f"expected one of {', '.join(map(str, known)) or 'no names'} in {at}; found"
            f" {value!r:.60}",
        )


def _hashable(values: tuple[Any, ...]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _check_kind(item: Json, where: str, findings: Findings) -> None:
    kind = item.get("type")
    if kind not in _OF_LEVELS:
        findings.warning(
            "dataset-transform",
            where,
            "expected a scale, an identity, or a sequence of scale and translation in"
            f" {where}; found {kind!r:.40}",
        )
    inner = item.get("transformations") if kind == "sequence" else None
    for i, part in enumerate(_objects(inner)):
        _check_kind(part, f"{where}.transformations[{i}]", findings)
