"""Every OME-Zarr store that anything here writes is one by the judgement of others.

yaozarrs validates the whole store; of version 0.4 the schemas of the specification,
where they are at hand, validate the attributes of every image in it, too.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import yaozarrs

from brickfield.cli import main
from brickfield.sessions import SessionManager
from brickfield.streaming import DualResolutionVoxelStorage, StreamWriter
from brickfield.testing.zarr_stores import write_group, write_image

SCHEMAS = Path(__file__).parents[3] / "shared/data/conformance/ngff-spec-0.4/schemas"
DATA = np.random.default_rng(2).integers(0, 999, (2, 2, 12, 40, 36)).astype("u2")
AXES = [{"name": a, "type": "space"} for a in "zyx"]


def run(*args):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["brickfield", *map(str, args)])
        with pytest.raises(SystemExit) as leaving:
            main.run()
    assert not leaving.value.code


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A stored image with times, channels and two levels."""
    path = tmp_path_factory.mktemp("source") / "a.ome.zarr"
    units = ("second", None, *["micrometer"] * 3)
    with StreamWriter(
        path,
        DATA.shape,
        "tczyx",
        scale=(1, 1, 2, 0.5, 0.5),
        units=units,
        channels=["dapi", "gfp"],
        levels=2,
    ) as writer:
        for frame in DATA.reshape(-1, 40, 36):
            writer.append(frame)
    return path


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    """Two images where a scene puts them."""
    folder = tmp_path_factory.mktemp("tiles") / "s.zarr"
    named = [
        {
            "type": "affine",
            "affine": np.column_stack([np.eye(3), [0, 0, 20 * i]]).tolist(),
            "input": {"path": f"tile_{i}", "name": "own"},
            "output": {"name": "world"},
        }
        for i in range(2)
    ]
    world = {"name": "world", "axes": AXES}
    scene = {"coordinateSystems": [world], "coordinateTransformations": named}
    write_group(folder, {"ome": {"version": "0.6", "scene": scene}}, zarr_format=3)
    level = {"type": "identity", "input": {"path": "0"}, "output": {"name": "own"}}
    image = {
        "coordinateSystems": [{"name": "own", "axes": AXES}],
        "datasets": [{"path": "0", "coordinateTransformations": [level]}],
    }
    for i in range(2):
        attributes = {"ome": {"version": "0.6", "multiscales": [image]}}
        write_image(folder / f"tile_{i}", [DATA[0, i]], attributes, zarr_format=3)
    return folder


def pyramid(source, dst, version):
    run("pyramid", source, dst, "--version", version)


def bake(*words):
    def write(source, dst, version):
        run("transform", words[0], source, dst, *words[1:], "--version", version)

    write.__name__ = words[0]
    return write


def sharded(source, dst, version):
    shards = (1, 1, 16, 64, 64) if version == "0.5" else None
    chunks = (1, 1, 8, 16, 16)
    with StreamWriter(
        dst,
        (None, 2, 12, 40, 36),
        "tczyx",
        chunks=chunks,
        shards=shards,
        version=version,
    ) as writer:
        for frame in DATA.reshape(-1, 40, 36):
            writer.append(frame)


def planes(source, dst, version):
    with StreamWriter(dst, (None, 40, 36), "zyx", version=version) as writer:
        for frame in DATA[0, 0]:
            writer.append(frame)


def labels(source, dst, version):
    with StreamWriter(dst, (40, 36), "yx", "uint64", version=version) as writer:
        writer.append(DATA[0, 0, 0].astype("u8") << np.uint64(40))


def demo(source, dst, version):
    words = ("--frames", 6, "--size", "32x48", "--planes", 2, "--fps", 0)
    run("stream", "demo", dst, *words, "--version", version)


def reference(source, dst, version):
    run("session", "save", source, "-o", dst, "--version", version)


def embedded(source, dst, version):
    run("session", "save", source, "-o", dst, "--embed", "--version", version)


def packed(source, dst, version):
    reference(source, dst.with_name("r.ome.zarr"), version)
    run("session", "pack", dst.with_name("r.ome.zarr"), dst)


def storage_session(source, dst, version):
    config = {"shape": (12, 40, 36), "n_channels": 2}
    storage = DualResolutionVoxelStorage(config)
    storage.write(1, (2, 3, 4), DATA[0, 0, :6, :20, :20])
    SessionManager(dst.parent).save_session(
        storage, dst.name.removesuffix(".ome.zarr"), version=version, mode="embed"
    )


BOTH = [
    pyramid,
    bake("rotate", "--degrees", 20),
    bake("shift", "--by", "0,2.5,1"),
    bake("combine", "--degrees", 90, "--axis", "z", "--by", "0,1,0"),
    bake("gaussian", "--sigma", 1),
    bake("downsample", "--factor", 2),
    bake("deskew", "--angle", 30, "--step", 1),
    sharded,
    planes,
    labels,
    demo,
    reference,
    embedded,
    packed,
    storage_session,
]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("write", BOTH, ids=lambda write: write.__name__)
def test_what_is_written_is_ome_zarr(source, tmp_path, write, version):
    place = tmp_path / "w.ome.zarr"
    write(source, place, version)
    check(place, version)


@pytest.mark.parametrize("write", BOTH[:6], ids=lambda write: write.__name__)
def test_what_is_written_as_06_is_what_its_specification_says(source, tmp_path, write):
    place = tmp_path / "w.ome.zarr"
    write(source, place, "0.6")
    about = json.loads((place / "zarr.json").read_text())["attributes"]["ome"]
    (image,) = about["multiscales"]
    (system,) = image["coordinateSystems"]
    assert (about["version"], len(system["axes"])) == ("0.6", 5)
    assert "axes" not in image
    for dataset in image["datasets"]:
        (way,) = dataset["coordinateTransformations"]
        assert way["input"] == {"path": dataset["path"]}
        assert way["output"] == {"name": system["name"]}
        kinds = [part["type"] for part in way["transformations"]]
        assert (way["type"], kinds) == ("sequence", ["scale", "translation"])
        array = json.loads((place / dataset["path"] / "zarr.json").read_text())
        assert array["dimension_names"] == [a["name"] for a in system["axes"]]


def test_images_that_were_fused_are_ome_zarr(tiles, tmp_path):
    run("fuse", tiles, tmp_path / "f.ome.zarr")
    check(tmp_path / "f.ome.zarr", "0.5")


def test_the_storage_of_two_resolutions_is_ome_zarr(tmp_path):
    config = {"shape": (12, 40, 36), "n_channels": 2}
    storage = DualResolutionVoxelStorage(config, tmp_path / "d.ome.zarr")
    storage.write(0, (0, 0, 0), DATA[0, 0])
    storage.sync_display_to_zarr()
    check(tmp_path / "d.ome.zarr", "0.5")
    storage.close_zarr()
    check(tmp_path / "d.ome.zarr", "0.5")


def check(place, version):
    yaozarrs.validate_zarr_store(str(place))
    is_old = any(place.rglob(".zgroup"))
    assert is_old is (version == "0.4")
    if version == "0.4" and SCHEMAS.is_dir():
        jsonschema = pytest.importorskip("jsonschema")
        schema = json.loads((SCHEMAS / "image.schema").read_text())
        images = [json.loads(f.read_text()) for f in place.rglob(".zattrs")]
        found = [image for image in images if "multiscales" in image]
        assert found
        for image in found:
            jsonschema.validate(image, schema)
