"""Which images a project has, and where each lies: of what its XML file says alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from brickfield.model import AffineTransform, Finding, Int3
from brickfield.sources.bdv.xml import SpimData, ViewSetup
from brickfield.sources.units import metres

SeriesGroups = list[tuple[str, list[ViewSetup]]]
LEFT_OUT = "left the view out"


@dataclass(frozen=True, slots=True)
class BdvView:
    """Where one image of a project lies.

    Attributes
    ----------
    name : str
        Unlike that of any other view of the project.
    series : str
        What opens it.
    matrix : AffineTransform
        From voxel index of level 0 (z, y, x) to world.
    shape : tuple of int or None
        Voxels (z, y, x), if the XML says so.
    time : int or None
        Index of the time point that it lies so at; None for all.
    absent : tuple of int
        Indices of the time points at which it is not there.
    channels : tuple of int or None
        Which channels of the project its own are; None where they are all.
    attributes : tuple of (str, str)
        Kind and name: tile, angle, illumination, channel.
    """

    name: str
    series: str
    matrix: AffineTransform
    shape: Int3 | None
    time: int | None = None
    absent: tuple[int, ...] = ()
    channels: tuple[int, ...] | None = None
    attributes: tuple[tuple[str, str], ...] = ()


def list_views(
    data: SpimData, groups: SeriesGroups | None = None
) -> tuple[list[BdvView], list[Finding]]:
    """List the images of a project, from the XML file alone.

    An image whose registration changes with time is listed once for each time point.

    Parameters
    ----------
    data : SpimData
    groups : list of (str, list of ViewSetup), optional
        As :func:`groups_by_series` gives them, if that was asked before.

    Returns
    -------
    views : list of BdvView
    findings : list of Finding
        Of views that cannot be placed.
    """
    views: list[BdvView] = []
    findings = _odd_setups(data)
    groups = groups_by_series(data) if groups is None else groups
    order = _channel_order(data, groups)
    for series, group in groups:
        setup = group[0]
        if setup.is_unusable:
            findings.append(unusable(setup, LEFT_OUT))
            continue
        gone = [i for i, t in enumerate(data.times) if _is_gone(data, t, setup.number)]
        findings += _lost_times(data, setup)
        own = None if order is None else tuple(order[_channel_id(s)] for s in group)
        about = tuple((kind, name) for kind, _, name in setup.attributes)
        whole = BdvView(
            series,
            series,
            _first_map(data, setup),
            setup.shape,
            None,
            tuple(gone),
            own,
            about,
        )
        if setup.number not in data.moves:
            views.append(whole)
            continue
        for i, time in enumerate(data.times):
            matrix = data.matrices.get((time, setup.number))
            if i in gone:
                continue
            if matrix is None:
                findings.append(unusable(setup, f"left it out at time {time}"))
                continue
            name = f"{series} t{time}"
            # A tile of its own for each time: a tile has one place, so one that moves
            # is several, each there at its time alone.
            views.append(replace(whole, name=name, matrix=matrix, time=i, absent=()))
    return views, findings


def _lost_times(data: SpimData, setup: ViewSetup) -> list[Finding]:
    """Tell at which times a setup has no registration although it has others."""
    lost = [t for t in data.times if (t, setup.number) in data.unregistered]
    if not lost:
        return []
    text = (
        "expected a registration for every time; found none for"
        f" {', '.join(map(str, lost[:5]))}: not shown there"
    )
    path = f"ViewRegistrations/setup {setup.number}"
    return [Finding("error", "no-registration", path, text)]


def _first_map(data: SpimData, setup: ViewSetup) -> AffineTransform:
    """Return the registration at the first time that has one; else the voxel size."""
    views = ((time, setup.number) for time in data.times)
    found = next((data.matrices[v] for v in views if v in data.matrices), None)
    return found or AffineTransform.from_scale(setup.voxel_size, setup.translation)


def _odd_setups(data: SpimData) -> list[Finding]:
    """Tell which setups have no registration at all, and that units differ."""
    found = []
    known = {setup for _, setup in data.matrices}
    none = [s for s in data.setups if s.number not in known and not s.is_unusable]
    if none:
        listed = ", ".join(str(s.number) for s in none[:5])
        more = " and others" if len(none) > 5 else ""
        text = (
            f"expected a registration for every setup; found none for {listed}{more}:"
            " put there by voxel size alone"
        )
        found.append(Finding("warning", "no-registration", "ViewRegistrations", text))
    units = {metres(s.unit) or s.unit: s.unit for s in data.setups if s.unit}
    if len(units) > 1:
        text = (
            f"expected one unit for all setups; found {', '.join(units.values())}; took"
            " numbers as the registrations give them"
        )
        found.append(Finding("warning", "mixed-units", "ViewSetups", text))
    return found


def _is_gone(data: SpimData, time: int, setup: int) -> bool:
    return (time, setup) in data.missing or (time, setup) in data.unregistered


def _channel_id(setup: ViewSetup) -> str:
    return next((n for kind, n, _ in setup.attributes if kind == "channel"), "")


def _channel_order(data: SpimData, groups: SeriesGroups) -> dict[str, int] | None:
    """Number the channels of a project; None where every image has all of them."""
    ids = list(dict.fromkeys(_channel_id(s) for s in data.setups))
    if len(ids) < 2 or all([_channel_id(s) for s in g] == ids for _, g in groups):
        return None
    if any(len({_channel_id(s) for s in g}) < len(g) for _, g in groups):
        # Setups of one channel at one place are told apart as channels.
        return None
    return {name: i for i, name in enumerate(ids)}


def unusable(
    setup: ViewSetup, done: str = "only the voxel size of the view is used"
) -> Finding:
    """Say that a registration cannot be used.

    Parameters
    ----------
    setup : ViewSetup
    done : str
        What was done instead.
    """
    text = (
        "expected affine maps of 12 finite numbers that can be inverted; found"
        f" others: {done}"
    )
    path = f"ViewRegistrations/setup {setup.number}"
    return Finding("error", "unusable-registration", path, text)


def groups_by_series(data: SpimData) -> SeriesGroups:
    """Return the setups of each image of a project, with what opens it."""
    groups = _groups(data.setups)
    return list(zip(_series_names(groups), groups, strict=True))


def _attribute_key(setup: ViewSetup) -> tuple[tuple[str, str], ...]:
    """Return what tells an image from others at the same place; channels do not."""
    return tuple((kind, n) for kind, n, _ in setup.attributes if kind != "channel")


def _groups(setups: Sequence[ViewSetup]) -> list[list[ViewSetup]]:
    """Setups that can be channels of one image, in the order of the file."""
    groups: dict[object, list[ViewSetup]] = {}
    for setup in setups:
        # The numbers come from decimal text, which two programs round differently.
        numbers = (*setup.voxel_size, *setup.translation)
        where = tuple([round(v, 9) for v in numbers])
        # A size is optional in the XML file; without one nothing says that setups are
        # alike.
        is_unsure = setup.shape is None or setup.is_unusable
        alone = setup.number if is_unsure else None
        about = _attribute_key(setup)
        key = (setup.shape, where, setup.placement, setup.unit, alone, about)
        groups.setdefault(key, []).append(setup)
    return list(groups.values())


def _series_names(groups: list[list[ViewSetup]]) -> list[str]:
    names = [group[0].name for group in groups]
    if len(set(names)) == len(names):
        return names
    kinds = ("tile", "angle", "illumination", "channel")
    told = [[g[0].named(k) for k in kinds] for g in groups]
    differing = [i for i in range(len(kinds)) if len({t[i] for t in told}) > 1]
    texts = [
        " ".join(f"{kinds[i]} {t[i]}" for i in differing if t[i] is not None)
        for t in told
    ]
    # Microscopes often give all setups one name; what tells them apart is in the
    # attributes.
    if all(texts) and len(set(texts)) == len(texts):
        return texts
    return [f"setup{group[0].number}" for group in groups]
