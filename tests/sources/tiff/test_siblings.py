"""OME-TIFF images whose planes lie in several files."""

import json

import numpy as np
import pytest
import tifffile

from brickfield.cli.main import run
from brickfield.errors import ChunkReadError
from brickfield.sources.open import open_source

DATA = np.arange(4 * 5 * 6, dtype=np.uint16).reshape(4, 5, 6) + 1
OME = (
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{own}">'
    '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16"'
    ' SizeX="6" SizeY="5" SizeZ="4" SizeC="1" SizeT="1">{planes}</Pixels></Image></OME>'
)
PLANE = (
    '<TiffData IFD="{ifd}" FirstZ="{z}" PlaneCount="1">'
    '<UUID FileName="{name}.ome.tif">urn:uuid:{uuid}</UUID></TiffData>'
)


def uuid(name):
    return f"{name}0000000-0000-0000-0000-000000000000"


@pytest.fixture
def two_files(tmp_path):
    """Planes 0 and 1 in a.ome.tif, 2 and 3 in b.ome.tif."""
    planes = "".join(
        PLANE.format(ifd=z % 2, z=z, name="ab"[z // 2], uuid=uuid("ab"[z // 2]))
        for z in range(4)
    )
    for i, name in enumerate("ab"):
        with tifffile.TiffWriter(tmp_path / f"{name}.ome.tif") as file:
            for z in range(2):
                text = OME.format(own=uuid(name), planes=planes) if z == 0 else None
                file.write(DATA[2 * i + z], description=text, metadata=None)
    return tmp_path / "a.ome.tif"


def test_planes_of_several_files_are_one_image(two_files, read_level):
    source = open_source(two_files)
    np.testing.assert_array_equal(read_level(source, 0), DATA)
    source.close()


def test_planes_of_a_file_that_is_gone_fail_by_name(two_files):
    two_files.with_name("b.ome.tif").unlink()
    source = open_source(two_files)
    assert [f.code for f in source.info.findings if f.severity == "error"] == [
        "missing-file"
    ]
    np.testing.assert_array_equal(
        source.read_storage_chunk(0, (1, 0, 0)).data[0], DATA[1]
    )
    for z in (2, 3):
        with pytest.raises(ChunkReadError, match=r"b\.ome\.tif; found no such file"):
            source.read_storage_chunk(0, (z, 0, 0))
    source.close()


def test_a_file_that_was_only_renamed_lacks_nothing(tmp_path, read_level):
    planes = "".join(
        PLANE.format(ifd=z, z=z, name="a", uuid=uuid("a")) for z in range(4)
    )
    with tifffile.TiffWriter(tmp_path / "renamed.ome.tif") as file:
        for z in range(4):
            text = OME.format(own=uuid("a"), planes=planes) if z == 0 else None
            file.write(DATA[z], description=text, metadata=None)
    source = open_source(tmp_path / "renamed.ome.tif")
    assert "missing-file" not in {f.code for f in source.info.findings}
    np.testing.assert_array_equal(read_level(source, 0), DATA)
    source.close()


def test_a_picture_of_a_file_whose_neighbour_is_gone_is_incomplete(
    two_files, tmp_path, monkeypatch, capsys
):
    two_files.with_name("b.ome.tif").unlink()
    words = ["brickfield", "render", str(two_files), "-o", str(tmp_path / "a.png")]
    monkeypatch.setattr("sys.argv", [*words, "--size", "32x32", "--json"])
    with pytest.raises(SystemExit) as leaving:
        run()
    receipt = json.loads(capsys.readouterr().out)
    assert leaving.value.code == 3
    assert receipt["chunks"]["failed"] == 2
