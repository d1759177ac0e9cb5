"""A project's views lie where the XML file says: by attributes, times and loaders."""

import re
from contextlib import closing
from pathlib import Path

import h5py
import numpy as np
import pytest

import brickfield as bf
from brickfield.errors import StoreFormatError
from brickfield.sources.bdv import source as bdv_source
from brickfield.sources.bdv.source import BdvProject, open_source
from brickfield.sources.bdv.views import list_views
from brickfield.sources.images import list_images
from brickfield.sources.mosaic import MosaicOptions, list_tiles, open_mosaic_source
from brickfield.testing.zarr_stores import image_attributes, write_image

RNG = np.random.default_rng(0)
SHAPE = (4, 6, 8)
KINDS = ("tile", "angle", "illumination", "channel")


def shift(x=0.0):
    return f"1 0 0 {x} 0 1 0 0 0 0 1 0"


def write_xml(folder, setups, *, loader='format="bdv.hdf5"', inner="", times=1, **more):
    """Write a project; each setup is (name, attributes, affine by time or for all)."""
    inner = inner or '<hdf5 type="relative">d.h5</hdf5>'
    views, maps, known = "", "", {kind: {} for kind in KINDS}
    for i, (name, attributes, affines) in enumerate(setups):
        told = "".join(f"<{k}>{n}</{k}>" for k, (n, _) in attributes.items())
        for kind, (number, text) in attributes.items():
            known[kind][number] = text
        views += (
            f"<ViewSetup><id>{i}</id><name>{name}</name><size>8 6 4</size>"
            f"<attributes>{told}</attributes></ViewSetup>"
        )
        by_time = (
            affines
            if isinstance(affines, dict)
            else dict.fromkeys(range(times), affines)
        )
        for t, affine in by_time.items():
            maps += (
                f'<ViewRegistration timepoint="{t}" setup="{i}"><ViewTransform '
                f'type="affine"><affine>{affine}</affine></ViewTransform></ViewRegistration>'
            )
    for kind, items in known.items():
        named = "".join(
            f"<{kind.title()}><id>{n}</id><name>{text}</name></{kind.title()}>"
            for n, text in items.items()
        )
        views += f'<Attributes name="{kind}">{named}</Attributes>' if items else ""
    path = folder / "p.xml"
    path.write_text(
        '<SpimData version="0.2"><BasePath type="relative">.</BasePath>'
        f"<SequenceDescription><ImageLoader {loader}>{inner}</ImageLoader>"
        f'<ViewSetups>{views}</ViewSetups><Timepoints type="range"><first>0</first>'
        f"<last>{times - 1}</last></Timepoints>"
        f"<MissingViews>{more.get('missing', '')}</MissingViews></SequenceDescription>"
        f"<ViewRegistrations>{maps}</ViewRegistrations></SpimData>"
    )
    return str(path)


def write_hdf5(folder, volumes, times=1):
    with h5py.File(folder / "d.h5", "w") as file:
        for s, volume in enumerate(volumes):
            file[f"s{s:02d}/resolutions"] = np.array([[1.0, 1, 1]])
            for t in range(times):
                file[f"t{t:05d}/s{s:02d}/0/cells"] = (volume + t).astype("i2")


def volumes_of(n):
    return [np.full(SHAPE, 10 * (i + 1), "u2") for i in range(n)]


def test_attributes_are_read_and_name_views_that_share_a_name(tmp_path):
    setups = [
        ("view", {"tile": (i, f"T{i}"), "angle": (a, str(45 * a))}, shift(8 * i))
        for i in (0, 1)
        for a in (0, 1)
    ]
    setups = [(n, a, shift(8 * i)) for i, (n, a, _) in enumerate(setups)]
    write_hdf5(tmp_path, volumes_of(4))
    places = [p for p, _ in list_tiles(write_xml(tmp_path, setups)).tiles]
    assert [p.name for p in places][:2] == ["tile T0 angle 0", "tile T0 angle 45"]
    assert dict(places[3].attributes) == {"tile": "T1", "angle": "45"}


def test_views_of_one_place_and_other_angles_are_no_channels(tmp_path):
    setups = [(f"v{a}", {"angle": (a, str(a))}, shift()) for a in (0, 1)]
    write_hdf5(tmp_path, volumes_of(2))
    source = open_mosaic_source(write_xml(tmp_path, setups))
    assert source.info.pyramid.levels[0].shape == (1, 1, *SHAPE)
    assert source.read_storage_chunk(0, (0, 0, 0, 0, 0)).data.max() == 20


def test_views_of_one_channel_each_are_channels_of_the_mosaic(tmp_path):
    setups = [
        (f"v{i}", {"tile": (t, str(t)), "channel": (c, name)}, shift(8 * t + 0.25 * c))
        for i, (t, c, name) in enumerate(
            [(0, 0, "GFP"), (0, 1, "RFP"), (1, 0, "GFP"), (1, 1, "RFP")]
        )
    ]
    write_hdf5(tmp_path, volumes_of(4))
    source = open_mosaic_source(write_xml(tmp_path, setups), MosaicOptions(order=0))
    assert [c.name for c in source.info.channels] == ["GFP", "RFP"]
    green, red = (
        source.read_storage_chunk(0, (0, c, 0, 0, 0)).data[0, 0, 0, 0] for c in (0, 1)
    )
    assert green.tolist()[:16] == [10] * 8 + [30] * 8
    assert {*red.tolist()} == {20, 40}


def test_channels_of_one_place_have_the_names_of_the_file(tmp_path):
    setups = [(f"v{c}", {"channel": (c, n)}, shift()) for c, n in ((0, "A"), (1, "B"))]
    write_hdf5(tmp_path, volumes_of(2))
    with closing(open_source(write_xml(tmp_path, setups))) as source:
        assert [c.name for c in source.info.channels] == ["A", "B"]


def test_a_view_that_is_missing_at_a_time_darkens_nothing_there(tmp_path):
    setups = [(f"v{i}", {"angle": (i, str(i))}, shift()) for i in (0, 1)]
    write_hdf5(tmp_path, volumes_of(2), times=2)
    uri = write_xml(
        tmp_path, setups, times=2, missing='<MissingView timepoint="1" setup="1"/>'
    )
    source = open_mosaic_source(uri, MosaicOptions(overlap="mean"))
    first, second = (source.read_storage_chunk(0, (t, 0, 0, 0, 0)).data for t in (0, 1))
    assert {*first.ravel()} == {15}
    assert {*second.ravel()} == {11}


def test_a_time_without_registration_is_left_out_and_told(tmp_path):
    setups = [("a", {}, {0: shift(), 1: shift()}), ("b", {}, {0: shift(8)})]
    write_hdf5(tmp_path, volumes_of(2), times=2)
    listed = list_tiles(write_xml(tmp_path, setups, times=2))
    (finding,) = [f for f in listed.findings if f.code == "no-registration"]
    assert "found none for 1" in finding.text
    source = open_mosaic_source(write_xml(tmp_path, setups, times=2))
    assert not source.read_storage_chunk(0, (1, 0, 0, 0, 0)).data[..., 8:].any()


def test_a_registration_that_cannot_be_used_leaves_the_view_out_of_the_mosaic(tmp_path):
    flat = "1 0 0 0 0 1 0 0 0 0 0 0"
    setups = [
        ("a", {}, shift()),
        ("b", {}, flat),
        ("c", {}, "1 0 0 nan 0 1 0 0 0 0 1 0"),
    ]
    write_hdf5(tmp_path, volumes_of(3))
    listed = list_tiles(write_xml(tmp_path, setups))
    assert [p.name for p, _ in listed.tiles] == ["a"]
    codes = [f.code for f in listed.findings]
    assert codes == ["unusable-registration"] * 2
    assert all("left the view out" in f.text for f in listed.findings)


def test_of_a_registration_that_is_usable_at_some_times_these_are_shown(tmp_path):
    flat = "1 0 0 0 0 1 0 0 0 0 0 0"
    setups = [("a", {}, shift()), ("b", {}, {0: flat, 1: shift(8)})]
    listed = list_tiles(write_xml(tmp_path, setups, times=2))
    assert [(p.name, p.time) for p, _ in listed.tiles] == [("a", None), ("b t1", 1)]
    (finding,) = listed.findings
    assert "left it out at time 0" in finding.text


def test_numbers_that_are_none_leave_their_view_out_alone(tmp_path):
    setups = [("a", {}, shift()), ("b", {}, "1,0,0,0 0 1 0 0 0 0 one 0")]
    listed = list_tiles(write_xml(tmp_path, setups))
    assert [p.name for p, _ in listed.tiles] == ["a"]
    assert [f.code for f in listed.findings] == ["unusable-registration"]


def test_setups_without_any_registration_are_told(tmp_path):
    setups = [("a", {}, {}), ("b", {}, shift(3))]
    _, findings = list_views(BdvProject(write_xml(tmp_path, setups)).data)
    (finding,) = findings
    assert finding.code == "no-registration"
    assert "found none for 0" in finding.text


def test_setups_in_several_units_are_told(tmp_path):
    path = write_xml(tmp_path, [("a", {}, shift()), ("b", {}, shift(3))])
    text = Path(path).read_text()
    for unit in ("um", "nm"):
        size = f"<voxelSize><unit>{unit}</unit><size>1 1 1</size></voxelSize>"
        text = text.replace("</size><attributes>", f"</size>{size}<attributes>", 1)
    Path(path).write_text(text)
    _, findings = list_views(BdvProject(path).data)
    (finding,) = findings
    assert finding.code == "mixed-units"
    assert "found um, nm" in finding.text


def test_a_setup_that_is_unlike_the_first_is_read_as_it_is(tmp_path):
    setups = [(f"v{i}", {}, shift(8 * i)) for i in range(3)]
    volumes = volumes_of(3)
    write_hdf5(tmp_path, volumes)
    with h5py.File(tmp_path / "d.h5", "a") as file:
        del file["t00000/s01/0/cells"]
        cells = RNG.integers(1, 99, (4, 6, 8)).astype("i2")
        file.create_dataset("t00000/s01/0/cells", data=cells, chunks=(2, 3, 5))
    source = open_mosaic_source(write_xml(tmp_path, setups))
    found = source.read_storage_chunk(0, (0, 0, 0, 0, 0)).data[0, 0]
    assert np.array_equal(found[..., 8:16], cells)
    assert {*found[..., :8].ravel()} == {10}
    assert {*found[..., 16:24].ravel()} == {30}


def test_a_project_is_read_once_and_its_file_is_closed_with_the_last_view(tmp_path):
    setups = [(f"v{i}", {}, shift(8 * i)) for i in range(2)]
    write_hdf5(tmp_path, volumes_of(2))
    project = BdvProject(write_xml(tmp_path, setups))
    (tmp_path / "p.xml").unlink()
    first, second = project.open("v0"), project.open("v1")
    first.close()
    assert second.read_storage_chunk(0, (0, 0, 0, 0, 0)).data.max() == 20
    second.close()
    with closing(project.open("v1")) as again:
        assert again.read_storage_chunk(0, (0, 0, 0, 0, 0)).data.max() == 20


@pytest.fixture(params=["attribute", "element"])
def zarr_project(tmp_path, request):
    """Two views in 5-D OME-Zarr images, as both kinds of writers name them."""
    volumes = [RNG.integers(1, 999, SHAPE).astype("u2") for _ in range(2)]
    groups = ""
    for i, volume in enumerate(volumes):
        about = image_attributes("tczyx", [(1, 1, 1, 1, 1), (1, 1, 2, 2, 2)])
        levels = [volume[None, None], volume[None, None, ::2, ::2, ::2]]
        write_image(tmp_path / "d.ome.zarr" / f"s{i}-t0.zarr", levels, about)
        groups += (
            f'<zgroup setup="{i}" tp="0" path="s{i}-t0.zarr" indicies="0 0"/>'
            if request.param == "attribute"
            else f'<zgroup setup="{i}" timepoint="0"><path>s{i}-t0.zarr</path></zgroup>'
        )
    inner = f'<zarr type="relative">d.ome.zarr</zarr><zgroups>{groups}</zgroups>'
    setups = [(f"v{i}", {}, shift(8 * i)) for i in range(2)]
    loader = 'format="bdv.multimg.zarr" version="3.0"'
    return write_xml(tmp_path, setups, loader=loader, inner=inner), volumes


def test_views_in_ome_zarr_images_are_read(zarr_project):
    uri, volumes = zarr_project
    source = open_mosaic_source(uri)
    assert [
        level.shape[2:] for level in source.tiles[1].source.info.pyramid.levels
    ] == [
        (4, 6, 8),
        (2, 3, 4),
    ]
    found = source.read_storage_chunk(0, (0, 0, 0, 0, 0)).data[0, 0]
    assert np.array_equal(found, np.concatenate(volumes, axis=2))


def test_a_view_whose_image_is_not_there_is_told(zarr_project, tmp_path):
    uri, _ = zarr_project
    (tmp_path / "d.ome.zarr" / "s0-t0.zarr").rename(tmp_path / "gone")
    with pytest.raises(StoreFormatError, match="expected an OME-Zarr image"):
        open_source(uri)


def test_listing_a_thousand_views_opens_nothing(tmp_path):
    setups = [(f"v{i}", {"tile": (i, str(i))}, shift(8 * i)) for i in range(1000)]
    uri = write_xml(tmp_path, setups)
    views, findings = list_views(BdvProject(uri).data)
    assert len(views) == 1000
    assert not findings


def test_views_are_listed_with_their_shapes_from_one_reading_of_the_file(
    tmp_path, monkeypatch
):
    setups = [(f"v{i}", {}, shift(8 * i)) for i in range(3)]
    write_hdf5(tmp_path, volumes_of(3))
    uri = write_xml(tmp_path, setups)
    n_read, read = [], bdv_source.parse

    def counted(*args):
        n_read.append(1)
        return read(*args)

    monkeypatch.setattr(bdv_source, "parse", counted)
    found = list_images(uri)
    assert [(e.name, e.shape) for e in found] == [
        (f"v{i}", (1, 1, *SHAPE)) for i in range(3)
    ]
    assert len(n_read) <= 2


def test_an_imaris_file_lies_where_the_project_puts_it(tmp_path):
    bf.to_imaris(
        RNG.integers(1, 99, SHAPE).astype("u1"), tmp_path / "a.ims", bdv_xml=True
    )
    path = tmp_path / "a.xml"
    with closing(open_source(str(path))) as source:
        before = source.info
    assert before.placement is None
    turned = "0 -1 0 7 1 0 0 8 0 0 1 9"
    text = re.sub(
        "<affine>.*?</affine>", f"<affine>{turned}</affine>", path.read_text()
    )
    path.write_text(text)
    with closing(open_source(str(path))) as source:
        z, y, x = source.info.world.apply((3.0, 2.0, 1.0))
    assert (x, y, z) == pytest.approx((-2 + 7, 1 + 8, 3 + 9))
