"""A token in an address stands nowhere but in a scene, which needs it."""

import logging
import sys

import pytest

from brickfield.cli.main import run
from brickfield.errors import BrickfieldError
from brickfield.pyramid import write_pyramid
from brickfield.scene import (
    SceneLayer,
    SceneSource,
    SceneState,
    read_scene,
    write_scene,
)
from brickfield.store import open_store
from brickfield.testing.http_server import FaultServer, Rule
from brickfield.testing.zarr_stores import ramp, write_image

SECRETS = ("PASSWORD1", "TOKEN1", "SIGNATURE1")
QUERY = "token=TOKEN1&X-Amz-Signature=SIGNATURE1"


def address(server: FaultServer, name: str = "a.zarr") -> str:
    return f"{server.url}/{name}?{QUERY}".replace("//", "//me:PASSWORD1@", 1)


def assert_clean(text: str) -> None:
    assert not [secret for secret in SECRETS if secret in text], text


@pytest.fixture
def image(tmp_path):
    data = ramp((16, 16, 16))
    write_image(tmp_path / "a.zarr", [data, data[::2, ::2, ::2]])
    return tmp_path


def call(capsys, monkeypatch, *words) -> str:
    monkeypatch.setattr(sys, "argv", ["brickfield", *map(str, words)])
    with pytest.raises(SystemExit):
        run()
    out = capsys.readouterr()
    return out.out + out.err


def test_info_and_errors_of_the_command_show_no_secret(image, capsys, monkeypatch):
    with FaultServer(image, Rule("b.zarr/*", "error", 403)) as server:
        for words in (("--json",), ()):
            text = call(capsys, monkeypatch, "info", address(server), *words)
            assert "a.zarr?token=***" in text.replace("\n", "")
            assert_clean(text)
        for name in ("b.zarr", "c.zarr", "d.ims", "e.xml"):
            text = call(capsys, monkeypatch, "info", address(server, name))
            assert "expected" in text
            assert_clean(text)


def test_a_pyramid_and_its_journal_show_no_secret(image, capsys, monkeypatch):
    """Neither its result nor anything that it leaves on the disk, whole or not."""
    with FaultServer(image, Rule("a.zarr/0/0/*", "error", 500)) as server:
        words = ("pyramid", address(server), image / "out.zarr", "--json")
        assert_clean(call(capsys, monkeypatch, *words))
        server.clear()
        stored = [p for p in (image / "out.zarr").rglob("*") if p.is_file()]
        assert stored
        for path in stored:
            assert_clean(path.read_bytes().decode("latin-1"))
        write_pyramid(address(server), image / "out.zarr")
    for path in (image / "out.zarr").rglob("*"):
        if path.is_file():
            assert_clean(path.read_bytes().decode("latin-1"))


def test_a_store_shows_no_secret_but_keeps_its_address(image, caplog):
    """Its info, identity, failures and log are masked; it can be opened again."""
    caplog.set_level(logging.DEBUG)
    with FaultServer(image, Rule("a.zarr/0/0/0/0", "error", 403)) as server:
        with open_store(address(server)) as store:
            assert store.address == address(server)
            told = [store.info, store.source.source_id, store.source, store]
            with pytest.raises(BrickfieldError) as caught:
                store.source.read_storage_chunk(0, (0, 0, 0))
            told += [str(caught.value), caught.value.reason]
        assert_clean(" ".join(map(repr, told)))
        assert_clean(caplog.text)


def test_a_scene_keeps_what_opens_its_data_and_says_so(tmp_path, caplog):
    """Nobody else on the machine may read it then."""
    uri = f"http://me:PASSWORD1@h/a.zarr?{QUERY}"
    state = SceneState(layers=(SceneLayer(name="a", source=SceneSource(uri=uri)),))
    write_scene(state, tmp_path / "s.json")
    assert read_scene(tmp_path / "s.json").layers[0].source.uri == uri
    assert "do not hand it on" in caplog.text
    assert_clean(caplog.text)
    assert (tmp_path / "s.json").stat().st_mode & 0o077 == 0
