"""The web server that misbehaves, asked by the standard library."""

import http.client
import threading
import urllib.error
import urllib.request

import pytest

from brickfield.testing.http_server import FaultServer, Rule

CONTENT = bytes(range(256)) * 4


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "f").write_bytes(CONTENT)
    return tmp_path


def get(server, path="sub/f", **headers):
    request = urllib.request.Request(f"{server.url}/{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, answer.read()


def status_of(server, path="sub/f", **headers):
    try:
        return get(server, path, **headers)[0]
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_files_are_served_and_counted(folder):
    with FaultServer(folder) as server:
        assert get(server) == (200, CONTENT)
        assert get(server) == (200, CONTENT)
        assert status_of(server, "none") == 404
        assert server.requests == {"sub/f": 2, "none": 1}
        assert server.n_bytes == 2 * len(CONTENT)


def test_nothing_outside_the_folder_is_served(folder):
    (folder / "secret").write_text("x")
    with FaultServer(folder / "sub") as server:
        assert status_of(server, "../secret") == 404
        assert status_of(server, "%2e%2e/secret") == 404


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("0-9", slice(0, 10)), ("1000-", slice(1000, None)), ("-24", slice(-24, None))],
)
def test_ranges_are_served(folder, asked, expected):
    with FaultServer(folder) as server:
        assert get(server, Range=f"bytes={asked}") == (206, CONTENT[expected])
        assert status_of(server, Range="bytes=5000-") == 416


def test_a_rule_can_end_after_some_requests(folder):
    with FaultServer(folder, Rule("sub/*", "error", 503, times=2)) as server:
        assert [status_of(server) for _ in range(3)] == [503, 503, 200]


def test_a_share_of_requests_fails_the_same_way_each_time(folder):
    def statuses():
        with FaultServer(folder, Rule("*", "error", share=0.3), seed=5) as server:
            return [status_of(server) for _ in range(60)]

    first = statuses()
    assert 8 <= first.count(503) <= 28
    assert first == statuses()


def test_a_body_can_be_cut_shortened_or_changed(folder):
    with (
        FaultServer(folder, Rule("*", "truncate")) as server,
        pytest.raises(http.client.IncompleteRead),
    ):
        get(server)
    with FaultServer(folder, Rule("*", "short")) as server:
        assert get(server)[1] == CONTENT[:512]
    with FaultServer(folder, Rule("*", "corrupt")) as server:
        body = get(server)[1]
    assert body[:64] != CONTENT[:64]
    assert body[64:] == CONTENT[64:]


def test_a_stall_is_bounded_and_ends_with_the_server(folder):
    before = threading.active_count()
    with FaultServer(folder, Rule("*", "stall", seconds=600)) as server:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        connection.request("GET", "/sub/f")
        answer = connection.getresponse()
        assert answer.read(512) == CONTENT[:512]
    connection.close()
    assert threading.active_count() == before


def test_rounds_are_requests_that_do_not_overlap(folder):
    with FaultServer(folder, Rule("*", "delay", seconds=0.2)) as server:
        threads = [threading.Thread(target=get, args=(server,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.n_rounds < 3
        server.clear()
        assert get(server)[0] == 200
        assert get(server)[0] == 200
        assert server.n_rounds == 2
