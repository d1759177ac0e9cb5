"""Ends of 0.6 transformations, and names that are reserved, are judged aloud."""

import pytest

from brickfield.sources.open import open_source
from brickfield.testing.zarr_stores import (
    image_attributes,
    ramp,
    write_group,
    write_image,
)

VOLUME = ramp((4, 5, 6))
ENDS = {"input": {"path": "0"}, "output": {"name": "physical"}}
SCALE = {"type": "scale", "scale": [1, 1, 1]}
TURN = [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
STRETCH = [[2, 0, 0, 0], [0, 3, 0, 0], [0, 0, 4, 0]]


def findings_of(folder, transform, outer=None):
    axes = [{"name": a, "type": "space"} for a in "zyx"]
    image = {
        "name": "image",
        "coordinateSystems": [{"name": n, "axes": axes} for n in ("physical", "world")],
        "datasets": [{"path": "0", "coordinateTransformations": [transform]}],
    }
    if outer is not None:
        image["coordinateTransformations"] = [outer]
    attributes = {"ome": {"version": "0.6", "multiscales": [image]}}
    source = open_source(write_image(folder, [VOLUME], attributes, zarr_format=3))
    return {(f.code, f.path) for f in source.info.findings}


@pytest.mark.parametrize(
    "ends", [ENDS, {"input": "0", "output": "physical"}], ids=["objects", "texts"]
)
def test_ends_that_name_what_is_there_are_no_finding(tmp_path, ends):
    outer = {**SCALE, "input": {"name": "physical"}, "output": {"name": "world"}}
    assert {
        code for code, _ in findings_of(tmp_path / "a", {**SCALE, **ends}, outer)
    } <= {"further-systems"}


@pytest.mark.parametrize("end", ["input", "output"])
@pytest.mark.parametrize("value", [None, 3, [], {}, "", "other", {"name": 7}])
def test_an_end_of_a_wrong_form_or_name_is_a_finding(tmp_path, end, value):
    at = "multiscales[0].datasets[0].coordinateTransformations[0]"
    found = findings_of(tmp_path / "a", {**SCALE, **ENDS, end: value})
    assert ("transform-end", f"{at}.{end}") in found


@pytest.mark.parametrize("end", ["input", "output"])
def test_an_outer_end_that_is_no_system_is_a_finding(tmp_path, end):
    ends = {"input": {"name": "physical"}, "output": {"name": "world"}}
    outer = {**SCALE, **ends, end: {"name": "nowhere"}}
    found = findings_of(tmp_path / "a", {**SCALE, **ENDS}, outer)
    assert (
        "transform-end",
        f"multiscales[0].coordinateTransformations[0].{end}",
    ) in found


@pytest.mark.parametrize(
    "transform",
    [
        {"type": "rotation", "rotation": TURN},
        {"type": "affine", "affine": STRETCH},
        {
            "type": "sequence",
            "transformations": [{"type": "affine", "affine": STRETCH}],
        },
    ],
    ids=["rotation", "affine", "inside a sequence"],
)
def test_a_rotation_or_affine_of_a_level_is_a_finding(tmp_path, transform):
    found = findings_of(tmp_path / "a", {**transform, **ENDS})
    assert "dataset-transform" in {code for code, _ in found}


def test_an_end_of_a_wrong_form_in_a_scene_is_a_finding(tmp_path):
    root = tmp_path / "s.zarr"
    transform = {**SCALE, "input": {"path": "0"}, "output": 5}
    scene = {"scene": {"coordinateTransformations": [transform]}}
    write_group(root, {"ome": {"version": "0.6", **scene}}, zarr_format=3)
    write_image(root / "0", [VOLUME], zarr_format=3)
    found = {(f.code, f.path) for f in open_source(root).info.findings}
    assert ("transform-end", "scene.coordinateTransformations[0].output") in found


@pytest.mark.parametrize("name", ["__x", "a b", "x-1"])
def test_names_of_wells_and_fields_are_letters_and_digits(tmp_path, name):
    root = tmp_path / "p.zarr"
    well = {"path": f"A/{name}", "rowIndex": 0, "columnIndex": 0}
    plate = {"rows": [{"name": "A"}], "columns": [{"name": "1"}], "wells": [well]}
    write_group(root, {"plate": {**plate, "version": "0.4", "name": "p"}})
    images = {"well": {"version": "0.4", "images": [{"path": name}]}}
    write_group(root / "A" / name, images)
    write_image(root / "A" / name / name, [VOLUME])
    places = {f.path for f in open_source(root).info.findings}
    assert {"plate.wells[0].path", "well.images[0].path"} <= places


def test_a_level_of_a_reserved_name_is_a_finding(tmp_path):
    attributes = image_attributes()
    attributes["multiscales"][0]["datasets"][0]["path"] = "__x"
    store = write_image(tmp_path / "a.zarr", [VOLUME], attributes)
    (store / "0").rename(store / "__x")
    codes = {f.code for f in open_source(store).info.findings}
    assert "reserved-name" in codes
