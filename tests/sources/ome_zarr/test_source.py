"""OME-Zarr of every version, plain zarr, and what users do to paths."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from brickfield.errors import (
    BrickfieldError,
    OptionError,
    StoreAccessError,
    StoreFormatError,
    StoreNotFoundError,
)
from brickfield.sources.open import open_source
from brickfield.sources.protocol import ChunkSource
from brickfield.testing.zarr_stores import (
    image_attributes,
    ramp,
    write_array,
    write_group,
    write_image,
)

VOLUME = ramp((12, 14, 16))
HALF = VOLUME[::2, ::2, ::2]


def codes(source):
    return {f.code for f in source.info.findings}


def sizes(source):
    return [level.voxel_size for level in source.info.pyramid.levels]


def shifts(source):
    return [level.translation for level in source.info.pyramid.levels]


@pytest.fixture
def image(tmp_path):
    attributes = image_attributes(
        "zyx",
        [[2, 0.5, 0.5], [4, 1, 1]],
        translations=[[10, 20, 30], [11, 20.25, 30.25]],
    )
    return write_image(tmp_path / "a.zarr", [VOLUME, HALF], attributes)


def test_a_source_keeps_the_protocol(image):
    assert isinstance(open_source(image), ChunkSource)


# ----- versions


@pytest.mark.parametrize(("version", "zarr_format"), [("0.4", 2), ("0.5", 3)])
def test_scale_and_translation_of_every_level_are_kept(
    tmp_path, version, zarr_format, read_level
):
    attributes = image_attributes(
        "zyx",
        [[2, 0.5, 0.5], [4, 1, 1]],
        version=version,
        translations=[[10, 20, 30], [11, 20.25, 30.25]],
    )
    write_image(
        tmp_path / "a.zarr", [VOLUME, HALF], attributes, zarr_format=zarr_format
    )
    source = open_source(tmp_path / "a.zarr")
    assert sizes(source) == [(2, 0.5, 0.5), (4, 1, 1)]
    assert shifts(source) == [(10, 20, 30), (11, 20.25, 30.25)]
    assert source.info.format == f"OME-Zarr {version} (zarr v{zarr_format})"
    assert not source.info.findings
    np.testing.assert_array_equal(read_level(source, 0), VOLUME)
    np.testing.assert_array_equal(read_level(source, 1), HALF)


@pytest.mark.parametrize(
    ("version", "axes"),
    [
        ("0.1", None),
        ("0.2", None),
        ("0.3", ["t", "c", "z", "y", "x"]),
    ],
)
def test_old_versions_open_with_voxel_sizes_from_shapes(tmp_path, version, axes):
    data = ramp((2, 3, 8, 12, 16))
    half = data[:, :, :, ::2, ::2]
    image = {"version": version, "datasets": [{"path": "0"}, {"path": "1"}]}
    if axes:
        image["axes"] = axes
    write_image(tmp_path / "a.zarr", [data, half], {"multiscales": [image]})
    source = open_source(tmp_path / "a.zarr")
    pyramid = source.info.pyramid
    assert [(a.name, a.kind) for a in pyramid.axes] == [
        ("t", "time"),
        ("c", "channel"),
        ("z", "space"),
        ("y", "space"),
        ("x", "space"),
    ]
    assert sizes(source) == [(1, 1, 1, 1, 1), (1, 1, 1, 2, 2)]
    assert shifts(source)[1] == (0, 0, 0, 0.5, 0.5)
    assert len(source.info.channels) == 3


@pytest.mark.parametrize("axes", ["yx", "xyz", "zcyx", "czyx", "tyx", "xyzct", "zx"])
def test_axes_may_be_any_subset_in_any_order(tmp_path, axes):
    lengths = {"t": 2, "c": 3, "z": 8, "y": 9, "x": 10}
    steps = {"t": 5, "c": 1, "z": 3, "y": 2, "x": 0.5}
    shape, scale = [lengths[a] for a in axes], [steps[a] for a in axes]
    write_image(tmp_path / "a.zarr", [ramp(shape)], image_attributes(axes, [scale]))
    level = open_source(tmp_path / "a.zarr").info.pyramid.levels[0]
    expected = [lengths[a] if a in axes else 1 for a in "zyx"]
    assert list(level.shape_zyx) == expected
    expected = [steps[a] if a in axes else 1 for a in "zyx"]
    assert list(level.voxel_size_zyx) == expected


def test_an_unknown_version_opens_with_a_finding(tmp_path):
    attributes = image_attributes(version="0.4")
    attributes["multiscales"][0]["version"] = "9.0"
    write_image(tmp_path / "a.zarr", [VOLUME], attributes)
    assert "unknown-version" in codes(open_source(tmp_path / "a.zarr"))


def image_06(systems, transforms, outer=None):
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    multiscale = {
        "coordinateSystems": [{"name": n, "axes": axes} for n in systems],
        "datasets": [
            {
                "path": "0",
                "coordinateTransformations": [
                    {**t, "input": {"path": "0"}, "output": {"name": "physical"}}
                    for t in transforms
                ],
            }
        ],
    }
    if outer is not None:
        ends = {"input": {"name": "physical"}, "output": {"name": systems[0]}}
        multiscale["coordinateTransformations"] = [{**outer, **ends}]
    return {"ome": {"version": "0.6rc0", "multiscales": [multiscale]}}


SEQUENCE = {
    "type": "sequence",
    "transformations": [
        {"type": "scale", "scale": [4, 3, 2]},
        {"type": "translation", "translation": [30, 20, 10]},
    ],
}


@pytest.mark.parametrize(
    ("transform", "size", "shift"),
    [
        ({"type": "scale", "scale": [4, 3, 2]}, (4, 3, 2), (0, 0, 0)),
        ({"type": "identity"}, (1, 1, 1), (0, 0, 0)),
        (SEQUENCE, (4, 3, 2), (30, 20, 10)),
        (
            {"type": "affine", "affine": [[2, 0, 0, 5], [0, 3, 0, 6], [0, 0, 4, 7]]},
            (2, 3, 4),
            (5, 6, 7),
        ),
    ],
)
def test_coordinate_systems_of_0_6_are_followed(tmp_path, transform, size, shift):
    attributes = image_06(["physical"], [transform])
    write_image(tmp_path / "a.zarr", [VOLUME], attributes, zarr_format=3)
    source = open_source(tmp_path / "a.zarr")
    assert sizes(source) == [size]
    assert shifts(source) == [shift]
    assert source.info.pyramid.unit == "micrometer"


def test_0_6_leads_to_the_system_that_is_listed_first(tmp_path):
    outer = {"type": "scale", "scale": [10, 10, 10]}
    attributes = image_06(["world", "physical"], [SEQUENCE], outer)
    write_image(tmp_path / "a.zarr", [VOLUME], attributes, zarr_format=3)
    source = open_source(tmp_path / "a.zarr")
    assert sizes(source) == [(40, 30, 20)]
    assert shifts(source) == [(300, 200, 100)]


@pytest.mark.parametrize(
    "transform",
    [
        {"type": "byDimension", "transformations": []},
        {"type": "displacements", "path": "d"},
        {"type": "projectAxis", "droppedInputs": [0]},
        {"type": "affine", "affine": [[0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]]},
        {"type": "affine", "affine": [[1, 0, 0, 0]]},
    ],
)
def test_a_transformation_that_no_matrix_expresses_is_left_out_with_a_finding(
    tmp_path, transform
):
    attributes = image_06(["physical"], [transform])
    write_image(tmp_path / "a.zarr", [VOLUME], attributes, zarr_format=3)
    source = open_source(tmp_path / "a.zarr")
    assert "unsupported-transform" in codes(source)
    assert sizes(source) == [(1, 1, 1)]


def test_a_scene_of_0_6_offers_its_images_and_moves_them(tmp_path):
    transforms = [
        {
            "type": "translation",
            "translation": [0, 0, 100 * i],
            "input": {"path": f"tile_{i}", "name": "physical"},
            "output": {"name": "world"},
        }
        for i in range(2)
    ]
    scene = {"scene": {"coordinateTransformations": transforms}}
    root = tmp_path / "s.zarr"
    write_group(root, {"ome": {"version": "0.6", **scene}}, zarr_format=3)
    for i in range(2):
        attributes = image_06(["physical"], [SEQUENCE])
        write_image(root / f"tile_{i}", [VOLUME], attributes, zarr_format=3)
    source = open_source(root, series="tile_1")
    assert source.info.series == ("tile_0", "tile_1")
    assert shifts(source) == [(30, 20, 110)]


# ----- odd levels


def test_a_missing_level_is_left_out_with_a_finding(image):
    shutil.rmtree(image / "1")
    source = open_source(image)
    assert source.info.pyramid.n_levels == 1
    assert "level-missing" in codes(source)


def test_levels_in_the_wrong_order_are_put_right(tmp_path):
    attributes = image_attributes("zyx", [[2, 2, 2], [1, 1, 1]])
    write_image(tmp_path / "a.zarr", [HALF, VOLUME], attributes)
    source = open_source(tmp_path / "a.zarr")
    assert [lv.shape for lv in source.info.pyramid.levels] == [VOLUME.shape, HALF.shape]
    assert sizes(source) == [(1, 1, 1), (2, 2, 2)]
    assert "levels-reordered" in codes(source)


def test_equal_scales_of_different_levels_are_not_believed(tmp_path):
    attributes = image_attributes("zyx", [[3, 1, 1], [3, 1, 1]])
    write_image(tmp_path / "a.zarr", [VOLUME, HALF], attributes)
    source = open_source(tmp_path / "a.zarr")
    assert sizes(source) == [(3, 1, 1), (6, 2, 2)]
    assert "equal-scales" in codes(source)


def test_the_transformation_of_the_whole_image_comes_last(tmp_path):
    attributes = image_attributes("zyx", [[1, 2, 3]], translations=[[1, 1, 1]])
    attributes["multiscales"][0]["coordinateTransformations"] = [
        {"type": "scale", "scale": [10, 10, 10]},
        {"type": "translation", "translation": [5, 5, 5]},
    ]
    write_image(tmp_path / "a.zarr", [VOLUME], attributes)
    source = open_source(tmp_path / "a.zarr")
    assert sizes(source) == [(10, 20, 30)]
    assert shifts(source) == [(15, 15, 15)]


def test_a_path_that_leads_out_of_the_store_is_refused(tmp_path):
    attributes = image_attributes("zyx", [[1, 1, 1], [2, 2, 2]])
    attributes["multiscales"][0]["datasets"][1]["path"] = "../../etc"
    write_image(tmp_path / "a.zarr", [VOLUME], attributes)
    source = open_source(tmp_path / "a.zarr")
    assert source.info.pyramid.n_levels == 1
    assert "dataset-path" in codes(source)


def test_one_large_level_names_the_command_that_helps(tmp_path):
    attributes = image_attributes("zyx", [[1, 1, 1]])
    write_group(tmp_path / "a.zarr", attributes)
    folder = tmp_path / "a.zarr" / "0"
    folder.mkdir()
    metadata = {
        "zarr_format": 2,
        "shape": [100_000] * 3,
        "chunks": [64] * 3,
        "dtype": "<u2",
        "compressor": None,
        "fill_value": 0,
        "order": "C",
        "filters": None,
        "dimension_separator": "/",
    }
    (folder / ".zarray").write_text(json.dumps(metadata))
    source = open_source(tmp_path / "a.zarr")
    text = next(f.text for f in source.info.findings if f.code == "no-pyramid")
    assert "brickfield pyramid" in text
    assert source.missing_chunks(0, np.array([[0, 0, 0], [1562, 3, 5]])).all()


# ----- channels and labels


def test_channels_come_from_omero_as_far_as_they_can_be_used(tmp_path):
    omero = {
        "channels": [
            {
                "label": "DAPI",
                "color": "0000FF",
                "window": {"start": 10, "end": 200},
                "active": False,
            },
            {"label": "GFP", "color": "green", "window": {"start": 5, "end": 5}},
        ]
    }
    attributes = image_attributes("cyx", [[1, 1, 1]], omero=omero)
    write_image(tmp_path / "a.zarr", [ramp((3, 8, 8))], attributes)
    source = open_source(tmp_path / "a.zarr")
    first, second, third = source.info.channels
    assert (first.name, first.color, first.window) == ("DAPI", (0, 0, 255), (10, 200))
    assert not first.is_active
    assert (second.name, second.color, second.window) == ("GFP", None, None)
    assert third.name == "2"
    assert {"omero-color", "omero-count", "omero-window"} <= codes(source)


@pytest.fixture
def labelled(image):
    write_group(image / "labels", {"labels": ["nuclei"]})
    attributes = {**image_attributes("zyx", [[2, 0.5, 0.5]]), "image-label": {}}
    write_image(image / "labels" / "nuclei", [ramp((12, 14, 16), "u4")], attributes)
    return image


@pytest.mark.parametrize("inside", ["labels", "labels/deep", "deep/labels"])
def test_an_image_below_a_folder_called_labels_is_an_image(tmp_path, inside):
    """Only the group "labels" of a store makes a label image, not a folder's name."""
    path = write_image(tmp_path / inside / "raw.zarr", [VOLUME])
    assert not open_source(path).info.is_labels
    assert not open_source(path / "0").info.is_labels


def test_a_broken_file_beside_does_not_keep_an_image_from_opening(tmp_path):
    path = write_image(tmp_path / "labels" / "raw.zarr", [VOLUME])
    (tmp_path / "labels" / ".zattrs").write_text("{")
    (tmp_path / ".zattrs").write_text("{")
    assert not open_source(path).info.is_labels


@pytest.mark.parametrize("listed", [True, False])
def test_a_label_image_without_its_own_mark_is_known_by_the_group(tmp_path, listed):
    image = write_image(tmp_path / "a.zarr", [VOLUME])
    label = write_image(image / "labels" / "nuclei", [VOLUME])
    if listed:
        write_group(image / "labels", {"labels": ["nuclei"]})
    assert open_source(label).info.is_labels
    assert open_source(label / "0").info.is_labels
    assert open_source(image, label="nuclei").info.is_labels
    assert not open_source(image).info.is_labels


def test_labels_are_listed_and_open_as_labels(labelled):
    assert open_source(labelled).info.labels == ("nuclei",)
    assert not open_source(labelled).info.is_labels
    for source in (
        open_source(labelled, label="nuclei"),
        open_source(labelled / "labels" / "nuclei"),
        open_source(labelled / "labels"),
    ):
        assert source.info.is_labels
        assert source.info.pyramid.dtype == np.uint32


def test_an_unknown_label_is_an_option_error_that_lists_them(labelled):
    with pytest.raises(OptionError, match="nuclei"):
        open_source(labelled, label="cells")


# ----- collections


@pytest.fixture
def plate(tmp_path):
    root = tmp_path / "p.zarr"
    wells = [
        {"path": p, "rowIndex": 0, "columnIndex": i}
        for i, p in enumerate(("A/1", "B/02"))
    ]
    plate = {
        "name": "p",
        "version": "0.4",
        "rows": [{"name": "A"}, {"name": "B"}],
        "columns": [{"name": "1"}, {"name": "02"}],
        "wells": wells,
    }
    write_group(root, {"plate": plate})
    for w, well in enumerate(("A/1", "B/02")):
        images = {"images": [{"path": "0"}, {"path": "1"}], "version": "0.4"}
        write_group(root / well, {"well": images})
        for f in range(2):
            data = np.full((8, 8), 10 * w + f + 1, "u1")
            write_image(root / well / str(f), [data], image_attributes("yx", [[1, 1]]))
    return root


@pytest.mark.parametrize(
    ("options", "inside", "value"),
    [
        ({}, "", 1),
        ({"well": "B/02"}, "", 11),
        ({"well": "B2"}, "", 11),
        ({"well": 1, "field": 1}, "", 12),
        ({"field": "1"}, "", 2),
        ({}, "B/02", 11),
        ({}, "B/02/1", 12),
        ({}, "B/02/1/0", 12),
    ],
)
def test_a_plate_opens_one_field_of_one_well(plate, options, inside, value, read_level):
    source = open_source(plate / inside, **options)
    assert (read_level(source, 0) == value).all()
    assert not source.info.findings
    if not inside:
        assert source.info.wells == ("A/1", "B/02")


def test_an_unknown_well_is_an_option_error_that_lists_them(plate):
    with pytest.raises(OptionError, match="A/1, B/02"):
        open_source(plate, well="C/3")


XML = """<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Image ID="Image:0" Name="first"/><Image ID="Image:1" Name="second"/></OME>"""


@pytest.mark.parametrize("listed", ["group", "xml", "nothing"])
def test_a_bioformats2raw_store_offers_its_series(tmp_path, listed, read_level):
    root = tmp_path / "b.zarr"
    write_group(root, {"bioformats2raw.layout": 3})
    for i in range(2):
        data = np.full((8, 8), i + 1, "u1")
        write_image(root / str(i), [data], image_attributes("yx", [[1, 1]]))
    names = ("0", "1")
    if listed == "group":
        write_group(root / "OME", {"series": ["0", "1"]})
    if listed == "xml":
        (root / "OME").mkdir()
        (root / "OME" / "METADATA.ome.xml").write_text(XML)
        names = ("first", "second")
    assert open_source(root).info.series == names
    for choice in (1, "1", names[1]):
        assert (read_level(open_source(root, series=choice), 0) == 2).all()


def test_several_images_of_a_group_are_series(tmp_path, read_level):
    attributes = image_attributes("zyx", [[1, 1, 1]])
    second = json.loads(json.dumps(attributes["multiscales"][0]))
    second["name"], second["datasets"][0]["path"] = "half", "1"
    attributes["multiscales"].append(second)
    write_image(tmp_path / "a.zarr", [VOLUME, HALF], attributes)
    assert open_source(tmp_path / "a.zarr").info.series == ("image", "half")
    source = open_source(tmp_path / "a.zarr", series="half")
    np.testing.assert_array_equal(read_level(source, 0), HALF)


# ----- plain zarr


def test_a_plain_array_opens_with_axes_by_rank(tmp_path, read_level):
    write_array(tmp_path / "a.zarr", VOLUME)
    source = open_source(tmp_path / "a.zarr", scale=(3, 2, 1))
    np.testing.assert_array_equal(read_level(source, 0), VOLUME)
    assert sizes(source) == [(3, 2, 1)]


def test_arrays_that_shrink_alike_are_taken_for_levels(tmp_path):
    write_image(tmp_path / "a.zarr", [VOLUME, HALF], {})
    source = open_source(tmp_path / "a.zarr")
    assert sizes(source) == [(1, 1, 1), (2, 2, 2)]
    assert shifts(source)[1] == (0.5, 0.5, 0.5)
    assert "guessed-levels" in codes(source)


def test_arrays_that_do_not_are_series(tmp_path, read_level):
    other = ramp((5, 30, 30))
    write_image(tmp_path / "a.zarr", [VOLUME, other], {})
    source = open_source(tmp_path / "a.zarr", series="0")
    assert source.info.series == ("0", "1")
    np.testing.assert_array_equal(read_level(source, 0), VOLUME)


def test_names_of_dimensions_are_used(tmp_path):
    names = ["z", "channel", "y", "x"]
    data = ramp((4, 2, 8, 8))
    write_array(tmp_path / "a.zarr", data, zarr_format=3, dimension_names=names)
    axes = open_source(tmp_path / "a.zarr").info.pyramid.axes
    assert [a.name for a in axes] == names


def test_a_level_by_itself_keeps_its_place(image, read_level):
    source = open_source(image / "1")
    assert sizes(source) == [(4, 1, 1)]
    assert shifts(source) == [(11, 20.25, 30.25)]
    np.testing.assert_array_equal(read_level(source, 0), HALF)


# ----- paths


@pytest.mark.parametrize(
    "spell",
    [
        str,
        Path,
        lambda p: f"{p}/",
        lambda p: f"{p}//",
        lambda p: p.as_uri(),
        lambda p: p.as_uri() + "/",
        lambda p: p / ".zattrs",
        lambda p: f"{p}/.zgroup",
    ],
)
def test_every_spelling_of_a_place_opens_it(image, spell):
    assert open_source(spell(image)).info.pyramid.n_levels == 2


@pytest.mark.parametrize("inside", ["", "deep.zarr/"])
@pytest.mark.parametrize("suffix", [".zip", ".ozx"])
def test_a_zip_file_opens_like_a_folder(image, tmp_path, inside, suffix, read_level):
    archive = tmp_path / f"a{suffix}"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(image.rglob("*")):
            if path.is_file():
                file.write(path, inside + path.relative_to(image).as_posix())
    source = open_source(archive)
    np.testing.assert_array_equal(read_level(source, 0), VOLUME)
    assert shifts(source)[0] == (10, 20, 30)
    level = open_source(f"{archive}/{inside}1")
    np.testing.assert_array_equal(read_level(level, 0), HALF)


def test_consolidated_metadata_are_believed(image):
    metadata = {}
    for path in sorted(image.rglob(".z*")):
        metadata[path.relative_to(image).as_posix()] = json.loads(path.read_text())
        if path.parent != image:
            path.unlink()
    document = {"zarr_consolidated_format": 1, "metadata": metadata}
    (image / ".zmetadata").write_text(json.dumps(document))
    assert open_source(image).info.pyramid.n_levels == 2


def test_consolidated_metadata_of_v3_are_believed(tmp_path):
    image = write_image(tmp_path / "a.zarr", [VOLUME, HALF], zarr_format=3)
    root = json.loads((image / "zarr.json").read_text())
    metadata = {}
    for name in "01":
        metadata[name] = json.loads((image / name / "zarr.json").read_text())
        (image / name / "zarr.json").unlink()
    root["consolidated_metadata"] = {"kind": "inline", "metadata": metadata}
    (image / "zarr.json").write_text(json.dumps(root))
    assert open_source(image).info.pyramid.n_levels == 2


def test_levels_of_the_other_format_are_found(image, read_level):
    for i, data in enumerate((VOLUME, HALF)):
        shutil.rmtree(image / str(i))
        write_array(image / str(i), data, zarr_format=3)
    np.testing.assert_array_equal(read_level(open_source(image), 1), HALF)


def test_a_folder_of_images_offers_them_as_series(image, tmp_path, read_level):
    write_image(tmp_path / "b.zarr", [HALF])
    assert open_source(tmp_path).info.series == ("a.zarr", "b.zarr")
    source = open_source(tmp_path, series="b.zarr")
    np.testing.assert_array_equal(read_level(source, 0), HALF)


def test_two_sources_of_the_same_data_have_the_same_identity(image):
    first, second = open_source(image), open_source(f"{image}/")
    assert first.source_id == second.source_id
    assert first.source_id != open_source(image / "1").source_id
    assert first.source_id != open_source(image, chunk_edge=32).source_id


# ----- errors


@pytest.mark.parametrize(
    ("damage", "error", "says"),
    [
        (shutil.rmtree, StoreNotFoundError, "nothing there"),
        (lambda p: (p / ".zattrs").write_text('{"multi'), StoreFormatError, ".zattrs"),
        (lambda p: (p / ".zattrs").write_text("[1]"), StoreFormatError, "[1]"),
        (
            lambda p: (p / "0/.zarray").write_text('{"shape": [1'),
            StoreFormatError,
            "0/.zarray",
        ),
        (
            lambda p: [shutil.rmtree(p / n) for n in "01"],
            StoreFormatError,
            "datasets[0].path",
        ),
        (
            lambda p: (
                [f.unlink() for f in p.glob(".z*")]
                + [shutil.rmtree(p / n) for n in "01"]
            ),
            StoreFormatError,
            "none of them",
        ),
    ],
)
def test_an_unusable_store_fails_with_one_sentence(image, damage, error, says):
    damage(image)
    with pytest.raises(error) as caught:
        open_source(image)
    assert isinstance(caught.value, BrickfieldError)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_half_written_zarr_json_names_the_file(tmp_path):
    write_image(tmp_path / "a.zarr", [VOLUME], zarr_format=3)
    raw = (tmp_path / "a.zarr/zarr.json").read_bytes()
    (tmp_path / "a.zarr/zarr.json").write_bytes(raw[:40])
    with pytest.raises(StoreFormatError, match=r"a\.zarr/zarr\.json"):
        open_source(tmp_path / "a.zarr")


def test_a_truncated_zip_file_is_refused(image, tmp_path):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in image.rglob("*"):
            file.write(path, path.relative_to(image))
    archive.write_bytes(archive.read_bytes()[:200])
    with pytest.raises(StoreFormatError, match=r"a\.zip"):
        open_source(archive)


def test_metadata_without_permission_are_denied(as_nobody):
    image = write_image(as_nobody / "a.zarr", [VOLUME])
    (image / ".zattrs").chmod(0)
    with as_nobody.identity(), pytest.raises(StoreAccessError, match=r"\.zattrs"):
        open_source(image)


@pytest.mark.parametrize("scale", [(1, 2), (0, 1, 1), (1, -1, 1)])
def test_a_scale_that_cannot_be_used_is_an_option_error(image, scale):
    with pytest.raises(OptionError, match="scale"):
        open_source(image, scale=scale)


def test_another_voxel_size_moves_all_levels_in_proportion(image):
    source = open_source(image, scale=(4, 1, 1))
    assert sizes(source) == [(4, 1, 1), (8, 2, 2)]
    assert shifts(source)[1] == (22, 40.5, 60.5)
