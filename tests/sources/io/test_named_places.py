"""What a document may name: its own, what lies beside it, and nothing else."""

import json
import os

import pytest

from brickfield.errors import (
    StoreAccessError,
    StoreFormatError,
    StoreNotFoundError,
)
from brickfield.sources.io.named_places import (
    NamedFiles,
    Root,
    expect_ordinary,
    resolve_named,
)
from brickfield.sources.open import open_source
from brickfield.testing.http_server import FaultServer

REMOTE = Root.of_description("http://h/a/d.xml", "http://h/a")
XML = Root.of_description("/data/a/d.xml", "/data/a")
FILE = Root.of_file("/data/a/f.h5")
FOLDER = Root.of_folder("/data/a/vol")


@pytest.mark.parametrize(
    ("root", "name", "place", "inside"),
    [
        (REMOTE, "x.n5", "http://h/a/x.n5", "x.n5"),
        (REMOTE, "./sub//x.n5", "http://h/a/sub/x.n5", "sub/x.n5"),
        (REMOTE, "http://h/a/x.n5", "http://h/a/x.n5", "x.n5"),
        (REMOTE, "HTTP://me:T@H/a/x.n5", "http://h/a/x.n5", "x.n5"),
        (XML, "x.h5", "/data/a/x.h5", "x.h5"),
        (XML, "/data/a/sub/x.h5", "/data/a/sub/x.h5", "sub/x.h5"),
        (XML, "file:///data/a/x%20y.h5", "/data/a/x y.h5", "x y.h5"),
        (XML, "sub/../x.h5", "/data/a/x.h5", "x.h5"),
        (FILE, "x.raw", "/data/a/x.raw", None),
        (FILE, "/data/a/sub/x.raw", "/data/a/sub/x.raw", None),
        (FOLDER, "1_1_1", "/data/a/vol/1_1_1", "1_1_1"),
        (FOLDER, "../other/1_1_1", "/data/a/other/1_1_1", None),
    ],
)
def test_names_below_the_root_and_beside_it_are_resolved(root, name, place, inside):
    """`inside` is None for what lies beside."""
    found = resolve_named(root, name)
    assert (found.place, found.inside) == (place, inside)


OUTSIDE = [
    "",
    "a\0b",
    "/etc/passwd",
    "../../../etc/passwd",
    "http://other/x",
    "s3://b/x",
]


@pytest.mark.parametrize("root", [REMOTE, XML, FILE, FOLDER])
@pytest.mark.parametrize("name", [*OUTSIDE, "file:///etc/passwd", "/data/ab/x"])
def test_names_that_lead_elsewhere_are_refused(root, name):
    """Other hosts, other folders, and nothing at all; the sentence says who named what."""
    with pytest.raises(StoreAccessError, match="leads elsewhere") as caught:
        resolve_named(root, name)
    assert root.document in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "../x.n5",
        "sub/../../x.n5",
        "%2e%2e/x.n5",
        "%252e%252e/x.n5",
        "..\\x.n5",
        "/a/x.n5",
        "http://h/ab/x.n5",
        "https://h/a/x.n5",
        "http://h:81/a/x.n5",
        "http://h/a/../b/x.n5",
        "http://h@other/a/x.n5",
    ],
)
def test_a_document_from_a_server_stays_below_its_folder(name):
    """However the way up is written, and whatever the user lets local documents do."""
    asked = Root.of_description("http://h/a/d.xml", "http://h/a", follow=True)
    for root in (REMOTE, asked):
        with pytest.raises(StoreAccessError):
            resolve_named(root, name)


def test_who_trusts_a_local_document_lets_it_lead_anywhere():
    root = Root.of_description("/data/a/d.xml", "/data/a", follow=True)
    assert resolve_named(root, "../b/x.h5").place == "/data/b/x.h5"
    assert resolve_named(root, "http://other/x.n5").place == "http://other/x.n5"


def test_a_query_of_the_root_stays_with_what_it_names():
    """A signature stands at the end of an address."""
    root = Root.of_description("http://h/a/d.xml?t=1", "http://h/a?t=1")
    assert resolve_named(root, "x.n5").place == "http://h/a/x.n5?t=1"


def test_a_folder_reached_through_a_link_may_be_written_out(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    root = Root.of_description("d.xml", str(tmp_path / "link"))
    assert resolve_named(root, str(tmp_path / "real" / "x.h5")).inside == "x.h5"


def test_only_ordinary_files_are_opened(tmp_path):
    """No device, no pipe, no folder, nothing of the system's, also through a link."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/proc/self/environ")
    for name in ("/dev/zero", "/proc/self/environ", tmp_path, *tmp_path.iterdir()):
        with pytest.raises(StoreFormatError, match="an ordinary file"):
            expect_ordinary(name, "d.h5")
    with pytest.raises(StoreNotFoundError, match=r"which d\.h5 names"):
        expect_ordinary(tmp_path / "none", "d.h5")


def test_a_file_beside_the_document_is_a_finding(tmp_path):
    """Said once, however often it is read."""
    (tmp_path / "x.raw").write_bytes(b"1")
    files = NamedFiles(Root.of_file(tmp_path / "d.h5"))
    assert files.path("x.raw") == files.path("x.raw") == tmp_path / "x.raw"
    assert [f.code for f in files.findings] == ["other-file"]


SPIM = """<SpimData version="0.2"><BasePath type="relative">{base}</BasePath>
<SequenceDescription><ImageLoader format="{loader}"><n5>{place}</n5></ImageLoader>
<ViewSetups><ViewSetup><id>0</id><size>4 4 4</size></ViewSetup></ViewSetups>
<Timepoints type="range"><first>0</first><last>0</last></Timepoints>
</SequenceDescription></SpimData>"""


@pytest.fixture
def n5(tmp_path):
    level = tmp_path / "data" / "x.n5" / "setup0" / "timepoint0" / "s0"
    level.mkdir(parents=True)
    about = {"dimensions": [4] * 3, "blockSize": [4] * 3, "dataType": "uint8"}
    about["compression"] = {"type": "raw"}
    (level / "attributes.json").write_text(json.dumps(about))
    return tmp_path


def spim(folder, place, *, base=".", loader="bdv.n5"):
    path = folder / "d.xml"
    path.write_text(SPIM.format(base=base, loader=loader, place=place))
    return path


def test_an_xml_from_a_server_opens_data_below_it(n5):
    spim(n5 / "data", "x.n5")
    with FaultServer(n5) as server:
        source = open_source(f"{server.url}/data/d.xml")
        assert source.info.pyramid.levels[0].shape == (1, 1, 4, 4, 4)


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("kind", ["absolute", "file", "other host", "up", "base"])
def test_an_xml_from_a_server_opens_nothing_else(n5, kind, follow):
    """Neither local files nor another host: not one request leaves."""
    (n5 / "sub").mkdir()
    local = n5 / "data" / "x.n5"
    with FaultServer(n5) as server, FaultServer(n5) as other:
        place = {
            "absolute": str(local),
            "file": f"file://{local}",
            "other host": f"{other.url}/data/x.n5",
            "up": "../data/x.n5",
            "base": "x.n5",
        }[kind]
        spim(n5 / "sub", place, base="../data" if kind == "base" else ".")
        with pytest.raises(StoreAccessError, match="leads elsewhere"):
            open_source(f"{server.url}/sub/d.xml", follow_links=follow)
        assert other.n_requests == 0
        assert set(server.requests) == {"sub/d.xml"}


def test_a_local_xml_asks_a_server_only_when_the_user_says_so(n5, tmp_path_factory):
    with FaultServer(n5) as server:
        path = spim(tmp_path_factory.mktemp("own"), f"{server.url}/data/x.n5")
        with pytest.raises(StoreAccessError, match="--follow-links"):
            open_source(path)
        assert server.n_requests == 0
        source = open_source(path, follow_links=True)
        assert source.info.pyramid.levels[0].shape == (1, 1, 4, 4, 4)


def test_hdf5_behind_an_xml_from_a_server_is_told_in_a_sentence(n5):
    spim(n5 / "data", "x.h5", loader="bdv.hdf5")
    with (
        FaultServer(n5) as server,
        pytest.raises(StoreFormatError, match="from disks only"),
    ):
        open_source(f"{server.url}/data/d.xml")


@pytest.mark.parametrize("key", ["../../x", "/x", "http://other/x"])
def test_scales_of_precomputed_stay_in_or_beside_the_volume(tmp_path, key):
    """A key beside it is a finding; on a server it is refused."""
    scale = {
        "key": key,
        "size": [4, 4, 4],
        "resolution": [1, 1, 1],
        "chunk_sizes": [[4, 4, 4]],
        "encoding": "raw",
    }
    about = {
        "type": "image",
        "data_type": "uint8",
        "num_channels": 1,
        "scales": [scale],
    }
    folder = tmp_path / "a" / "vol"
    folder.mkdir(parents=True)
    (folder / "info").write_text(json.dumps(about))
    with pytest.raises(StoreAccessError, match="leads elsewhere"):
        open_source(folder)
    scale["key"] = "../beside"
    (folder / "info").write_text(json.dumps(about))
    codes = [f.code for f in open_source(folder).info.findings]
    assert "other-file" in codes
    with (
        FaultServer(tmp_path) as server,
        pytest.raises(StoreAccessError, match="leads elsewhere"),
    ):
        open_source(f"precomputed://{server.url}/a/vol")
