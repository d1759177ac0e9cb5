"""``brickfield render``: the picture, the receipt and the exit status."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from brickfield.testing.zarr_stores import ramp, write_image

RECEIPT = {
    "complete",
    "time_to_first_image_s",
    "time_to_complete_s",
    "bytes_read",
    "bytes_minimum",
    "requests",
    "chunks",
    "pixels",
    "levels",
    "target_error_px",
    "gpu_bytes",
    "gpu_budget",
    "gpu_usable_fraction",
    "ram_cache_peak_bytes",
    "ram_budget",
    "plan_ms",
    "upload_ms",
    "page_table_bytes_per_brick",
    "frames",
    "late_frames",
    "failures",
    "adapter",
    "versions",
}
EXACT = ("--colormap", "gray", "--contrast", "0,255", "--level", "0")


@pytest.fixture(autouse=True)
def _needs_adapter(adapter):
    pass


@pytest.mark.gpu
@pytest.mark.parametrize(("axis", "name"), [(0, "z"), (1, "y"), (2, "x")])
def test_an_orthographic_projection_is_what_numpy_says(
    command, image, volume, tmp_path, axis, name
):
    expected = volume.max(axis=axis)
    height, width = expected.shape
    out = tmp_path / "o.png"
    ended = command(
        "render", image, "-o", out, "--size", f"{width}x{height}",
        "--camera", f"ortho:{name}", *EXACT,
    )  # fmt: skip
    assert ended.status == 0
    drawn = np.asarray(Image.open(out).convert("RGB"))
    assert (drawn == expected[..., None]).all()


@pytest.mark.gpu
@pytest.mark.parametrize("camera", ["fit", "ortho"])
@pytest.mark.parametrize(("axis", "name"), [(0, "z"), (1, "y"), (2, "x")])
def test_a_slice_is_the_array(command, image, volume, tmp_path, axis, name, camera):
    expected = volume.take(20, axis=axis)
    position = 20 * (2.0, 0.5, 0.5)[axis]
    height, width = expected.shape
    out = tmp_path / "o.png"
    chosen = ("--camera", f"ortho:{name}") if camera == "ortho" else ()
    ended = command(
        "render", image, "-o", out, "--size", f"{width}x{height}",
        "--slice", f"{name}={position}", *chosen, *EXACT,
    )  # fmt: skip
    assert ended.status == 0, ended.err
    drawn = np.asarray(Image.open(out).convert("RGB"))
    assert (drawn == expected[..., None]).all()


@pytest.mark.gpu
def test_a_plane_across_an_axis_is_that_slice(command, image, volume, tmp_path):
    out, receipt = tmp_path / "o.png", tmp_path / "r.json"
    ended = command(
        "render", image, "-o", out, "--size", "40x48", "--receipt", receipt,
        "--plane", "3,4,40,0,0,-2", "--interpolation", "nearest", *EXACT,
    )  # fmt: skip
    assert ended.status == 0, ended.err
    drawn = np.asarray(Image.open(out).convert("RGB"))
    assert (drawn == volume[20][..., None]).all()
    cost = json.loads(receipt.read_text())
    assert cost["pixels"]["at_target"] == 1.0
    assert cost["bytes_read"] <= cost["bytes_minimum"]


def test_a_slice_beside_the_image_is_refused_in_one_sentence(command, image, tmp_path):
    ended = command("render", image, "-o", tmp_path / "o.png", "--slice", "z=64")
    assert ended.status == 2
    assert "z -1 to 63" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.gpu
def test_overlays_are_drawn_over_the_same_picture(command, image, tmp_path):
    pictures = []
    for extra in ((), ("--overlay", "scale_bar", "--overlay", "axes")):
        out = tmp_path / "o.png"
        size = ("--size", "160x120")
        ended = command("render", image, "-o", out, *size, *EXACT, *extra)
        assert ended.status == 0, ended.err
        pictures.append(np.asarray(Image.open(out).convert("RGB")))
    rows, columns = np.nonzero((pictures[0] != pictures[1]).any(axis=-1))
    assert rows.min() > 40, "both stand at the bottom"
    assert columns.min() < 80 < columns.max()


def test_an_unknown_overlay_is_refused_in_one_sentence(command, image, tmp_path):
    ended = command("render", image, "-o", tmp_path / "o.png", "--overlay", "compass")
    assert ended.status == 2
    assert (
        "scale_bar, axes, bounding_box, tiles, colorbar; found 'compass'" in ended.err
    )


@pytest.mark.gpu
def test_the_receipt_has_all_its_fields(command, image, tmp_path):
    receipt = tmp_path / "r.json"
    ended = command(
        "render", image, "-o", tmp_path / "o.png", "--size", "64x64",
        "--receipt", receipt, "--json",
    )  # fmt: skip
    assert ended.status == 0
    printed = json.loads(ended.out)
    assert set(printed) >= RECEIPT
    assert json.loads(receipt.read_text()) == printed
    assert printed["complete"] is True
    assert printed["chunks"]["failed"] == 0
    assert sum(printed["levels"].values()) > 0


@pytest.mark.gpu
def test_a_broken_chunk_ends_with_3_and_is_named(command, image, tmp_path):

    broken = tmp_path / "broken.ome.zarr"
    shutil.copytree(image, broken)
    (broken / "0" / "c" / "0" / "0" / "0").write_bytes(b"no chunk")
    out, receipt = tmp_path / "o.png", tmp_path / "r.json"
    ended = command(
        "render", broken, "-o", out, "--size", "80x96", "--camera", "ortho:z",
        "--level", "0", "--receipt", receipt,
    )  # fmt: skip
    assert ended.status == 3
    assert out.exists()
    cost = json.loads(receipt.read_text())
    assert cost["complete"] is False
    assert [f["key"] for f in cost["failures"]] == ["0/c/0/0/0"]
    assert "incomplete" in ended.out


@pytest.mark.gpu
def test_the_background_makes_an_opaque_picture(command, image, tmp_path):
    out = tmp_path / "o.png"
    ended = command(
        "render", image, "-o", out, "--size", "60x40", "--background", "#204060",
        "--camera", "orbit:0,0,0.2",
    )  # fmt: skip
    assert ended.status == 0
    drawn = Image.open(out)
    assert drawn.mode == "RGB"
    assert drawn.getpixel((0, 0)) == (0x20, 0x40, 0x60)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("-o", "picture.jpg"), ".png"),
        (("-o", "no/such/folder/o.png"), "folder"),
        (("-o", "o.png", "--size", "big"), "--size"),
        (("-o", "o.png", "--mode", "best"), "mip"),
        (("-o", "o.png", "--camera", "above"), "camera"),
        (("-o", "o.png", "--contrast", "1"), "--contrast"),
        (("-o", "o.png", "--colormap", "nosuchmap"), "colormap"),
        (("-o", "o.png", "--clip", "z=5"), "--clip"),
        (("-o", "o.png", "--channel", "7"), "channel"),
        (("-o", "o.png", "--time", "3"), "time"),
        (("-o", "o.png", "--level", "9"), "level"),
        (("-o", "o.png", "--gpu-budget", "much"), "much"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(
    command, image, tmp_path, monkeypatch, options, word
):
    monkeypatch.chdir(tmp_path)
    ended = command("render", image, *options)
    assert ended.status == 2
    assert ended.err.count("\n") == 1
    assert word in ended.err
    assert not list(tmp_path.iterdir())


def sources_of(tmp_path, image):
    """Yield a source and each file of it that an option could name."""
    import h5py

    file = tmp_path / "a.h5"
    with h5py.File(file, "w") as opened:
        opened["img"] = np.ones((8, 8, 8), np.uint8)
    store = tmp_path / "a.zarr"
    shutil.copytree(image, store)
    chunk = next(p for p in (store / "0" / "c").rglob("*") if p.is_file())
    (tmp_path / "link.png").symlink_to(chunk)
    (tmp_path / "hard.png").hardlink_to(chunk)
    (tmp_path / "hard.h5").hardlink_to(file)
    inside = [store, store / "0", chunk, store / "zarr.json", store / "new.png"]
    yield f"{file}:/img", [file, tmp_path / "hard.h5"]
    yield store, [*inside, tmp_path / "link.png", tmp_path / "hard.png"]


def test_neither_picture_nor_receipt_is_written_over_the_source(
    command, image, tmp_path
):
    """No byte of a source changes, whichever name of it is given."""
    for source, targets in sources_of(tmp_path, image):
        files = [p for p in tmp_path.rglob("*") if p.is_file()]
        before = {p: p.read_bytes() for p in files}
        for target in targets:
            asked = [("-o", tmp_path / "o.png", "--receipt", target)]
            asked += [("-o", target)] if target.suffix == ".png" else []
            for options in asked:
                ended = command("render", source, "--size", "16x16", *options)
                assert ended.status == 2, (target, ended)
                assert ended.err.count("\n") == 1
        assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_a_file_of_another_kind_is_not_replaced(command, image, tmp_path):
    (tmp_path / "notes.json").write_text("mine")
    (tmp_path / "tiff.png").write_bytes(b"II*\0mine")
    for options in (
        ("-o", tmp_path / "tiff.png"),
        ("-o", tmp_path / "o.png", "--receipt", tmp_path / "notes.json"),
        ("-o", tmp_path / "o.png", "--receipt", tmp_path / "o.png"),
    ):
        ended = command("render", image, "--size", "16x16", *options)
        assert ended.status == 2
        assert ended.err.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["notes.json", "tiff.png"]
    assert (tmp_path / "notes.json").read_text() == "mine"
    assert (tmp_path / "tiff.png").read_bytes() == b"II*\0mine"


def test_a_picture_and_a_receipt_of_before_are_replaced(command, image, tmp_path):
    options = ("-o", tmp_path / "o.png", "--receipt", tmp_path / "r.json")
    for _ in range(2):
        assert command("render", image, "--size", "16x16", *options).status == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o.png", "r.json"]


def test_an_endless_name_is_refused_in_one_sentence(command, image, tmp_path):
    for options in (
        ("-o", "x" * 5000 + ".png"),
        ("-o", tmp_path / "o.png", "--receipt", "r" * 5000),
    ):
        ended = command("render", image, *options)
        assert ended.status == 2
        assert ended.err.startswith("brickfield: error: expected --")
        assert ended.err.count("\n") == 1


def test_an_unknown_adapter_name_ends_with_2_and_one_sentence(adapter, image, tmp_path):
    """Also the name that pygfx reads, and refuses while it is imported."""
    code = "from brickfield.cli.main import main; main()"
    out = str(tmp_path / "out.png")
    done = subprocess.run(
        [sys.executable, "-c", code, "render", str(image), "-o", out],
        env={**os.environ, "PYGFX_WGPU_ADAPTER_NAME": "Voodoo 2"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "PYGFX_WGPU_ADAPTER_NAME; found 'Voodoo 2'" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.gpu
def test_a_picture_of_nothing_stored_says_so(command, tmp_path):
    from brickfield.testing.zarr_stores import write_image

    empty = write_image(tmp_path / "a.zarr", [np.zeros((4, 6, 8), "u2")])
    ended = command("render", empty, "-o", tmp_path / "a.png")
    assert ended.status == 0
    assert "no chunk is stored" in " ".join(ended.err.split())


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            ("--shading",),
            "--shading changes nothing in mode mip: it is for translucent",
        ),
        (("--iso-threshold", "5", "--slice", "z=2"), "changes nothing in a slice"),
        (("--mosaic",), "--mosaic changes nothing: found one image alone"),
        (("--overlay", "tiles"), "--overlay tiles draws nothing"),
        (("--mode", "iso", "--iso-threshold", "5", "--depth-colour"), ""),
    ],
    ids=["shading", "slice", "mosaic", "tiles", "all of use"],
)
def test_an_option_without_effect_is_named(command, tmp_path, given, said):
    image = write_image(tmp_path / "a.ome.zarr", [ramp((4, 6, 8))])
    ended = command("render", image, "-o", tmp_path / "a.png", "--size", "9x9", *given)
    assert ended.status == 0
    assert (said in ended.err) if said else ended.err == ""
