"""Axes of an OME-Zarr image, however its version or writer spells them.

The result always has one axis for each axis of the stored array and at least
one axis of space, so that every later step can rely on both. Each guess that
leads there is a finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from brickfield.errors import StoreFormatError
from brickfield.model import Axis, AxisKind
from brickfield.sources.geometry import Findings, axis_named

_KINDS: dict[str, AxisKind] = {"space": "space", "time": "time", "channel": "channel"}
_BY_RANK = "tczyx"


def default_axes(rank: int) -> tuple[Axis, ...]:
    """Axes where a file gives none: the last of t, c, z, y, x."""
    extra = [f"d{i}" for i in range(max(0, rank - len(_BY_RANK)))]
    names = (*extra, *_BY_RANK[max(0, len(_BY_RANK) - rank) :])
    return tuple(axis_named(n) for n in names)


def read_axes(
    value: Any,
    rank: int,
    *,
    names: Sequence[str | None] | None,
    findings: Findings,
    where: str,
) -> tuple[Axis, ...]:
    """Read axes.

    Parameters
    ----------
    value : object
        ``axes`` as stored: a list of objects (0.4), of strings (0.3), or None.
    rank : int
        Axes of the stored array.
    names : sequence of str or None
        ``dimension_names`` of a zarr v3 array, the second source.
    findings : Findings
    where : str
        Place in the metadata.

    Raises
    ------
    StoreFormatError
        If two axes have one name: which of them is which cannot be told.
    """
    _refuse_repeated(value, where)
    axes = _parse(value, rank, findings, where) if value else ()
    if len(axes) != rank:
        axes = _of_rank(axes, rank, names, findings, where)
    return with_space(axes, findings, where)


def _parse(value: Any, rank: int, findings: Findings, where: str) -> tuple[Axis, ...]:
    if not isinstance(value, list):
        findings.error(
            "axes-type",
            where,
            f"expected a list in {where}; found {type(value).__name__}; guessed axes",
        )
        return ()
    fallback = default_axes(max(rank, len(value)))[-len(value) :]
    return tuple(
        _axis(item, default, findings, f"{where}[{i}]")
        for i, (item, default) in enumerate(zip(value, fallback, strict=True))
    )


def _refuse_repeated(value: Any, where: str) -> None:
    listed = value if isinstance(value, list) else []
    stated = [item.get("name") if isinstance(item, dict) else item for item in listed]
    names = [name for name in stated if isinstance(name, str) and name]
    if len(set(names)) < len(names):
        msg = (
            f"expected different axis names in {where}; found"
            f" {', '.join(names):.60}: name them with --axes or axes=, one letter each,"
            " such as zyx"
        )
        raise StoreFormatError(msg)


def _axis(item: Any, default: Axis, findings: Findings, where: str) -> Axis:
    if isinstance(item, str):
        return axis_named(item)
    name = item.get("name") if isinstance(item, dict) else None
    if not isinstance(name, str) or not name:
        findings.warning(
            "axis-name",
            where,
            f"expected a name in {where}; found {name!r}; took it for"
            f" {default.name!r} by its position",
        )
        name = default.name
    if not isinstance(item, dict):
        return axis_named(name)
    by_name = axis_named(name).kind
    unit = item.get("unit")
    if unit is not None and not isinstance(unit, str):
        findings.warning(
            "axis-unit", where, f"expected a text in {where}.unit; found {unit!r:.40}"
        )
        unit = None
    stated = item.get("type")
    if stated is None:
        return Axis(name, by_name, unit)
    kind = _KINDS.get(stated, "other") if isinstance(stated, str) else "other"
    if kind == "other" and by_name != "other":
        findings.warning(
            "axis-type",
            where,
            f"expected the type {by_name!r} for the axis {name!r} in {where}; found"
            f" {stated!r:.40}; went by the name",
        )
        kind = by_name
    return Axis(name, kind, unit)


def _of_rank(
    axes: tuple[Axis, ...],
    rank: int,
    names: Sequence[str | None] | None,
    findings: Findings,
    where: str,
) -> tuple[Axis, ...]:
    """Make as many axes as the array has."""
    if names is not None and len(names) == rank and all(names):
        found, took = tuple(axis_named(str(n)) for n in names), "dimension_names"
    elif len(axes) > rank:
        found, took = axes[len(axes) - rank :], f"the last {rank}"
    else:
        lead = default_axes(rank)[: rank - len(axes)]
        used = {a.name for a in axes}
        lead = tuple(
            Axis(f"d{i}", "other") if a.name in used else a for i, a in enumerate(lead)
        )
        found, took = lead + axes, "the usual order"
    text = (
        f"expected {rank} axes in {where}, as the array has; found {len(axes)}; took"
        f" {took}: {', '.join(a.name for a in found)}"
    )
    if axes:
        findings.error("axes-rank", where, text)
    else:
        findings.warning("no-axes", where, text)
    return found


def with_space(
    axes: tuple[Axis, ...], findings: Findings, where: str
) -> tuple[Axis, ...]:
    """Make sure that there are one to three spatial axes with different names.

    Parameters
    ----------
    axes : tuple of Axis
    findings : Findings
        Receives what is odd.
    where : str
        In the metadata.
    """
    space = [i for i, a in enumerate(axes) if a.kind == "space"]
    if not space:
        n = min(2, len(axes))
        findings.error(
            "no-space-axes",
            where,
            f"expected two or three axes of space in {where}; found none; took the"
            f" last {n} for space",
        )
        lead = axes[: len(axes) - n]
        return lead + tuple(replace(a, kind="space") for a in axes[len(axes) - n :])
    if len(axes) > len(_BY_RANK):
        findings.warning(
            "too-many-axes",
            where,
            f"expected at most five axes in {where}; found {len(axes)}; read all",
        )
    if len(space) == 1:
        findings.warning(
            "one-space-axis",
            where,
            f"expected two or three axes of space in {where}; found one",
        )
    if len(space) > 3:
        return _three_of(axes, space, findings, where)
    if len({a.name for a in axes}) < len(axes):
        return _renamed(axes, space, findings, where)
    return axes


def _three_of(
    axes: tuple[Axis, ...], space: list[int], findings: Findings, where: str
) -> tuple[Axis, ...]:
    named = {axes[i].name: i for i in space if axes[i].name in "zyx"}
    keep = set(named.values()) if len(named) == 3 else set(space[-3:])
    findings.error(
        "too-many-space-axes",
        where,
        f"expected at most three axes of space in {where}; found {len(space)}; drew"
        f" {', '.join(axes[i].name for i in sorted(keep))}",
    )
    return tuple(
        replace(a, kind="other") if i in space and i not in keep else a
        for i, a in enumerate(axes)
    )


def _renamed(
    axes: tuple[Axis, ...], space: list[int], findings: Findings, where: str
) -> tuple[Axis, ...]:
    new = dict(zip(space, "zyx"[3 - len(space) :], strict=True))
    findings.error(
        "duplicate-axes",
        where,
        f"expected different axis names in {where}; found"
        f" {', '.join(a.name for a in axes)}; took the axes of space in their order",
    )
    return tuple(
        replace(a, name=new.get(i, f"{a.name}{i}" if i not in new else a.name))
        for i, a in enumerate(axes)
    )
