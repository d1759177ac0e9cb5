"""Connections lead where the environment says."""

from urllib.parse import urlsplit

import pytest

from brickfield.sources.io import http_connections
from brickfield.sources.io.http_connections import (
    Connections,
    password_header,
    server_of,
)
from brickfield.sources.io.http_objects import fetch
from brickfield.sources.io.location import locate
from brickfield.testing.http_server import FaultServer


@pytest.fixture
def environment(monkeypatch):
    """The proxies of the environment are read anew."""
    http_connections.proxy_of.cache_clear()
    yield monkeypatch
    http_connections.proxy_of.cache_clear()


def test_a_proxy_of_the_environment_is_asked_for_what_lies_elsewhere(
    environment, tmp_path
):
    """It gets the whole address."""
    (tmp_path / "a").write_bytes(b"1")
    with FaultServer(tmp_path) as server:
        environment.setenv("http_proxy", server.url)
        environment.setenv("no_proxy", "")
        assert fetch(locate("http://images.example"), "a", 10) == b"1"


def test_hosts_that_need_no_proxy_are_asked_directly(environment):
    environment.setenv("http_proxy", "http://proxy.example:3128")
    environment.setenv("no_proxy", "inside.example")
    assert server_of(urlsplit("http://inside.example/a")).proxy == ""
    outside = server_of(urlsplit("http://outside.example/a"))
    assert outside.proxy == "http://proxy.example:3128"


def test_user_and_password_of_an_address_go_into_a_header():
    """As RFC 7617 has it: base64 of "me:p w"."""
    assert password_header(urlsplit("http://h/a")) is None
    assert password_header(urlsplit("http://me:p%20w@h/a")) == "Basic bWU6cCB3"


def test_idle_connections_can_be_closed_and_are_made_anew(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    with FaultServer(tmp_path) as server:
        where = server_of(urlsplit(server.url))
        connections = Connections()
        connection, _ = connections.lend(where)
        connections.take_back(connection, where)
        connections.close()
        assert connection.sock is None
        other, is_kept = connections.lend(where)
        assert not is_kept
        other.close()
