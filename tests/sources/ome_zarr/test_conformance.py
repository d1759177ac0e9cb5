"""The public conformance cases: every valid image opens right, no invalid one silently.

A viewer is not a validator: an invalid case either opens with a finding or fails
with a sentence of the family of errors, never with anything else.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from brickfield.errors import BrickfieldError
from brickfield.sources.open import open_source
from brickfield.testing.zarr_stores import (
    image_attributes,
    ramp,
    write_array,
    write_group,
)

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "conformance"
SUITES = FOLDER / "ngff-spec-0.4" / "tests"
EXAMPLES = FOLDER / "ome-zarr-examples"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the folder ../shared/data is not here"
)


def cases(valid):
    found = []
    for file in sorted(SUITES.glob("*_suite.json")):
        kind = file.stem.removesuffix("_suite")
        for i, case in enumerate(json.loads(file.read_text())["tests"]):
            if case["valid"] is valid:
                name = f"{kind}-{i}-{case.get('formerly', '')}"
                found.append(pytest.param(kind, case["data"], id=name))
    return found


def scale_of(dataset):
    for transform in dataset.get("coordinateTransformations", []):
        if transform.get("type") == "scale" and "scale" in transform:
            return transform["scale"]
    return None


def rank_of(image):
    axes = image.get("axes")
    if axes:
        return len(axes)
    datasets = image.get("datasets") or [{}]
    return len(scale_of(datasets[0]) or [1, 1])


REFUSED = "mismatch_axes_units"
"""The one valid case that is refused: two numbers for the axes t, y and x.

The JSON schema cannot count them. The text of the specification can: the length of
a scale MUST be that of the axes.
"""


def write_levels(folder, attributes):
    """Write an array wherever the metadata name one."""
    for image in attributes.get("multiscales") or []:
        rank = rank_of(image)
        for i, dataset in enumerate(image.get("datasets") or []):
            shape = (2,) * max(0, rank - 3) + (16 >> i,) * min(3, rank)
            write_array(folder / str(dataset.get("path", "0")), ramp(shape, "u1"))


def write_case(folder, kind, data):
    if "plate" in kind:
        write_group(folder, data)
        wells = data["plate"].get("wells")
        for well in wells if isinstance(wells, list) else []:
            if "path" in well:
                write_group(
                    folder / well["path"], {"well": {"images": [{"path": "0"}]}}
                )
                write_levels(
                    folder / well["path"] / "0", image_attributes("yx", [[1, 1]])
                )
                write_group(
                    folder / well["path"] / "0", image_attributes("yx", [[1, 1]])
                )
        return
    if "well" in kind:
        write_group(folder, data)
        image = image_attributes("yx", [[1, 1]])
        write_levels(folder / "0", image)
        write_group(folder / "0", image)
        return
    if "label" in kind:
        data = {**image_attributes("yx", [[1, 1]]), **data}
    write_group(folder, data)
    write_levels(folder, data)


def what_is_said(store):
    """Sentences of the findings, or of the error when the store does not open."""
    try:
        return [f.text for f in open_source(store).info.findings]
    except BrickfieldError as error:
        return [str(error)]


def test_a_scale_for_fewer_axes_is_refused_though_the_schema_allows_it(tmp_path):
    refused = [case for case in cases(True) if REFUSED in case.id]
    assert refused
    for kind, data in (case.values for case in refused):
        write_case(tmp_path / "case.zarr", kind, data)
        (sentence,) = what_is_said(tmp_path / "case.zarr")
        assert "expected 3 numbers" in sentence
        assert "--scale or scale=" in sentence


@pytest.mark.parametrize(
    ("kind", "data"), [case for case in cases(True) if REFUSED not in case.id]
)
def test_a_valid_case_opens_with_its_axes_and_scales(tmp_path, kind, data, read_level):
    write_case(tmp_path / "case.zarr", kind, data)
    source = open_source(tmp_path / "case.zarr")
    info = source.info
    assert read_level(source, 0).all()
    assert not [f for f in info.findings if f.severity == "error"]
    if "image" not in kind:
        return
    image = data["multiscales"][0]
    assert [a.name for a in info.pyramid.axes] == [a["name"] for a in image["axes"]]
    assert [a.unit for a in info.pyramid.axes] == [a.get("unit") for a in image["axes"]]
    rank = len(image["axes"])
    outer = np.ones(rank)
    for transform in image.get("coordinateTransformations", []):
        outer *= transform["scale"]
    assert info.pyramid.n_levels == len(image["datasets"])
    for level, dataset in zip(info.pyramid.levels, image["datasets"], strict=True):
        np.testing.assert_allclose(level.voxel_size, outer * scale_of(dataset))


@pytest.mark.parametrize(("kind", "data"), cases(False))
def test_an_invalid_case_gives_a_finding_or_a_sentence(tmp_path, kind, data):
    write_case(tmp_path / "case.zarr", kind, data)
    sentences = what_is_said(tmp_path / "case.zarr")
    assert sentences
    assert all(s.startswith("expected ") and "\n" not in s for s in sentences)
    field = kind.removeprefix("strict_").replace("image", "multiscales")
    fields = (field, "omero", "image-label")
    assert any(name in s for s in sentences for name in fields)


def stores(kind):
    return [
        pytest.param(p, id=p.name) for p in sorted((EXAMPLES / kind).glob("*.zarr"))
    ]


@pytest.mark.parametrize("store", stores("valid") + stores("warning"))
def test_a_valid_store_opens(store, read_level):
    source = open_source(store)
    assert not [f for f in source.info.findings if f.severity == "error"]
    for level in range(source.info.pyramid.n_levels):
        read_level(source, level)


@pytest.mark.parametrize("store", stores("invalid"))
def test_an_invalid_store_gives_a_finding_or_a_sentence(store):
    sentences = what_is_said(store)
    assert sentences
    assert all(s.startswith("expected ") for s in sentences)
