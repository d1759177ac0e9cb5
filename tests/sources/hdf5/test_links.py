"""Links lead to files beside the file, and to no others unless the user allows it."""

from contextlib import closing

import h5py
import numpy as np
import pytest
import tifffile

from brickfield.errors import (
    BrickfieldError,
    StoreAccessError,
    StoreFormatError,
    StoreNotFoundError,
)
from brickfield.sources.hdf5.handles import share
from brickfield.sources.hdf5.links import close_files, find, links_of
from brickfield.sources.open import open_source

VOXELS = np.arange(64, dtype="u1").reshape(4, 4, 4)


@pytest.fixture
def folders(tmp_path):
    """`own` with the document, `other` with what is not its own."""
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "v.raw").write_bytes(VOXELS.tobytes())
        with h5py.File(tmp_path / name / "v.h5", "w") as file:
            file["v"] = VOXELS
    return tmp_path / "own", tmp_path / "other"


def write(folder, kind, target):
    path = folder / "d.h5"
    with h5py.File(path, "w") as file:
        if kind == "link":
            file["d"] = h5py.ExternalLink(f"{target}.h5", "/v")
        elif kind == "soft":
            file["e"] = h5py.ExternalLink(f"{target}.h5", "/")
            file["d"] = h5py.SoftLink("/e/v")
        elif kind == "external":
            parts = [(f"{target}.raw", 0, 64)]
            file.create_dataset("d", (4, 4, 4), "u1", external=parts)
        else:
            layout = h5py.VirtualLayout((4, 4, 4), "u1")
            layout[:] = h5py.VirtualSource(f"{target}.h5", "v", (4, 4, 4))
            file.create_virtual_dataset("d", layout)
    return path


KINDS = ["link", "soft", "external", "virtual"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_in_the_same_folder_is_read_with_a_finding(
    folders, kind, read_level, monkeypatch
):
    """Wherever the program was started."""
    own, other = folders
    monkeypatch.chdir(other.parent)
    path = write(own, kind, "v")
    with closing(open_source(f"{path}:/d")) as source:
        np.testing.assert_array_equal(read_level(source, 0), VOXELS)
        assert "other-file" in [f.code for f in source.info.findings]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("written", ["absolute", "relative"])
def test_a_file_in_another_folder_is_read_only_when_the_user_says_so(
    folders, kind, written, read_level
):
    own, other = folders
    path = write(own, kind, str(other / "v") if written == "absolute" else "../other/v")
    with pytest.raises(StoreAccessError, match="--follow-links"):
        open_source(f"{path}:/d")
    with closing(open_source(f"{path}:/d", follow_links=True)) as source:
        np.testing.assert_array_equal(read_level(source, 0), VOXELS)


@pytest.mark.parametrize("name", ["/dev/zero", "/proc/self/environ", "/etc/passwd"])
@pytest.mark.parametrize("follow", [False, True])
def test_no_file_of_the_system_is_drawn_as_voxels(tmp_path, name, follow):
    """Devices not even for who follows links."""
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file.create_dataset("d", (4, 4, 4), "u1", external=[(name, 0, 64)])
    if follow and name == "/etc/passwd":
        return
    with pytest.raises((StoreAccessError, StoreFormatError)):
        open_source(tmp_path / "d.h5", follow_links=follow)


def test_a_dataset_behind_another_is_looked_at_too(folders):
    """A virtual dataset of a file beside it, whose voxels lie elsewhere."""
    own, other = folders
    with h5py.File(own / "v.h5", "w") as file:
        parts = [(str(other / "v.raw"), 0, 64)]
        file.create_dataset("v", (4, 4, 4), "u1", external=parts)
    for kind in ("virtual", "link"):
        with pytest.raises(StoreAccessError, match="leads elsewhere"):
            open_source(f"{write(own, kind, 'v')}:/d")
    with h5py.File(own / "p0.h5", "w") as file:
        file["v"] = h5py.ExternalLink(str(other / "v.h5"), "/v")
    with h5py.File(own / "d.h5", "w") as file:
        space, endless = h5py.h5s.create_simple((4, 4, 4)), h5py.h5s.UNLIMITED
        whole = h5py.h5s.create_simple((4, 4, 4), (endless, 4, 4))
        whole.select_hyperslab((0, 0, 0), (endless, 1, 1), (4, 4, 4), (4, 4, 4))
        made_of = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        made_of.set_virtual(whole, b"p%b.h5", b"v", space)
        whole.select_all()
        h5py.h5d.create(file.id, b"d", h5py.h5t.NATIVE_UINT8, whole, made_of)
    with pytest.raises(StoreAccessError, match="leads elsewhere"):
        open_source(f"{own / 'd.h5'}:/d")


def test_what_is_not_beside_the_file_is_not_looked_for_beside_the_program(
    folders, monkeypatch
):
    own, other = folders
    (own / "v.h5").unlink()
    (own / "v.raw").unlink()
    monkeypatch.chdir(other)
    for kind in KINDS:
        with pytest.raises((StoreAccessError, StoreNotFoundError)):
            open_source(f"{write(own, kind, 'v')}:/d")


def test_links_in_a_circle_are_told_in_a_sentence(tmp_path):
    path = tmp_path / "d.h5"
    with h5py.File(path, "w") as file:
        file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")
        layout = h5py.VirtualLayout((4, 4, 4), "u1")
        layout[:] = h5py.VirtualSource(".", "c", (4, 4, 4))
        file.create_virtual_dataset("c", layout)
    for inside in ("/a", "/c"):
        with pytest.raises(BrickfieldError, match=r"do not end|deep"):
            open_source(f"{path}:{inside}")


def test_files_behind_links_are_closed_with_the_file(folders):
    own, _ = folders
    file, links = share(write(own, "link", "v")), links_of(own / "d.h5")
    found = find(file.file, "/d", links)
    assert found.shape == (4, 4, 4)
    assert find(file.file, "/none/x", links) is None
    close_files(file, links)
    assert not found
    (own / "v.h5").rename(own / "w.h5")
    with h5py.File(own / "w.h5", "a") as again:
        assert "v" in again


@pytest.mark.parametrize("name", ["../other/b.ome.tif", "/dev/zero"])
def test_an_ome_tiff_opens_only_files_beside_it(folders, name):
    own, other = folders
    uuid = "urn:uuid:00000000-0000-0000-0000-00000000000"
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'
        f' UUID="{uuid}1"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT"'
        ' Type="uint8" SizeX="4" SizeY="4" SizeZ="2" SizeC="1" SizeT="1">'
        '<Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
        f'<TiffData FirstZ="0" IFD="0"><UUID FileName="a.ome.tif">{uuid}1</UUID></TiffData>'
        f'<TiffData FirstZ="1" IFD="0"><UUID FileName="{{}}">{uuid}2</UUID></TiffData>'
        "</Pixels></Image></OME>"
    )
    for file, text in (
        (own / "a.ome.tif", xml.format(name)),
        (other / "b.ome.tif", ""),
    ):
        tifffile.imwrite(file, VOXELS[0], description=text.encode(), metadata=None)
    with pytest.raises((StoreAccessError, StoreFormatError), match="leads elsewhere"):
        open_source(own / "a.ome.tif")
