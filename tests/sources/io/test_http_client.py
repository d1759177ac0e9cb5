"""Answers of web servers are never longer than allowed, whatever they say."""

import os
import threading
import zlib
from time import monotonic, sleep

import pytest

from brickfield.errors import ChunkReadError, StoreFormatError, StoreUnreachableError
from brickfield.sources.io.cancellation import while_wanted
from brickfield.sources.io.http_answers import HttpError, Span
from brickfield.sources.io.http_objects import body_of, fetch
from brickfield.sources.io.in_flight import BODIES
from brickfield.sources.io.location import locate
from brickfield.sources.io.store_files import read_many
from brickfield.testing.http_server import FaultServer, Rule

GIB = 1 << 30
MIB = 1 << 20
SAYS = ["length", "less", "nothing", "chunked", "gzip"]


@pytest.fixture
def served(tmp_path):
    (tmp_path / "a").write_bytes(bytes(range(100)))
    with FaultServer(tmp_path) as server:
        yield server, locate(server.url)


@pytest.mark.parametrize("says", SAYS)
def test_a_body_beyond_the_limit_is_dropped(served, says):
    """Whether its length is said truly, falsely or not at all, and compressed."""
    server, place = served
    server.add(Rule("a", "swell", size=GIB, says=says))
    with pytest.raises(HttpError, match=r"TOO_LONG.* at most 1 MiB .*server sends"):
        fetch(place, "a", MIB)
    # What lies in the buffers of both ends counts as sent.
    assert server.n_bytes < 32 * MIB
    assert BODIES.taken_bytes == 0


@pytest.mark.parametrize("says", ["length", "nothing", "chunked", "gzip"])
def test_a_body_within_the_limit_is_taken_however_it_comes(served, says):
    server, place = served
    server.add(Rule("a", "swell", size=MIB, says=says))
    assert fetch(place, "a", MIB) == bytes(MIB)


@pytest.mark.parametrize("span", [Span(10), Span(10, 50)])
def test_a_part_longer_than_asked_for_is_dropped(served, span):
    server, place = served
    with body_of(place, "a", MIB, span) as found:
        start = 90 if span.start is None else span.start
        assert found.raw == bytes(range(start, start + 10))
        assert found.size == 100
    server.add(Rule("a", "swell", size=GIB))
    with (
        pytest.raises(HttpError, match="at most 10 B in one piece; the server sends 1"),
        body_of(place, "a", MIB, span),
    ):
        pass
    assert server.n_bytes < 32 * MIB


@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("name", ["zarr.json", ".zattrs", "info", "attributes.json"])
def test_metadata_of_gigabytes_are_refused_in_a_sentence(served, name, says):
    server, place = served
    server.add(Rule("*", "swell", size=3 * GIB, says=says))
    with pytest.raises(StoreFormatError, match="expected at most 4 MiB in one piece"):
        read_many(place, [name], limit=4 * MIB)


def test_metadata_files_count_together(served):
    """So that many long ones do not fill the memory either."""
    server, place = served
    server.add(Rule("*", "swell", size=MIB))
    names = [f"f{i}" for i in range(6)]
    assert len(read_many(place, names, limit=6 * MIB)) == 6
    with pytest.raises(StoreFormatError, match="more, with others of it"):
        read_many(place, names, limit=5 * MIB)


def test_metadata_that_trickle_end_after_the_longest_wait(served, monkeypatch):
    monkeypatch.setattr("brickfield.sources.io.store_files.LONGEST_S", 0.3)
    server, place = served
    server.add(Rule("a", "trickle", seconds=0.01))
    with pytest.raises(StoreUnreachableError, match="did not answer within"):
        read_many(place, ["a"])


def test_a_body_that_nobody_wants_any_more_is_dropped(served):
    server, place = served
    server.add(Rule("a", "trickle", seconds=0.01))
    wanted = threading.Event()
    with (
        pytest.raises(ChunkReadError, match="given up"),
        while_wanted(wanted.is_set),
    ):
        fetch(place, "a", MIB)
    while BODIES.taken_bytes:
        sleep(0.01)


def test_reads_one_after_another_share_a_connection(served):
    server, place = served
    for name in ("a", "none", "a"):
        fetch(place, name, MIB)
    assert server.n_requests == 3
    assert server.n_connections == 1


def test_time_that_the_machine_slept_is_not_the_servers(served, monkeypatch):
    """What came meanwhile lies in the connection: it is no slow one."""
    slept = []

    def clock():
        return monotonic() + sum(slept)

    for module in ("http_client", "cancellation"):
        monkeypatch.setattr(f"brickfield.sources.io.{module}.monotonic", clock)
    server, place = served
    server.add(Rule("a", "delay", seconds=1.0))

    def sleeps():
        while not server.n_requests:
            sleep(0.01)
        sleep(0.1)
        slept.append(1000.0)

    sleeper = threading.Thread(target=sleeps)
    sleeper.start()
    assert fetch(place, "a", MIB) == bytes(range(100))
    sleeper.join()
    assert server.n_requests == 1


def test_what_was_cut_in_the_middle_is_asked_for_again(served):
    """Over another connection."""
    server, place = served
    server.add(Rule("a", "truncate", times=1))
    assert fetch(place, "a", MIB) == bytes(range(100))
    assert server.n_requests == server.n_connections == 2


def test_bytes_are_counted_as_sent(served):
    server, place = served
    server.add(Rule("a", "swell", size=MIB, says="gzip"))
    with body_of(place, "a", MIB) as found:
        assert found.raw == bytes(MIB)
        assert found.n_bytes < 4096
        assert BODIES.taken_bytes == MIB
    assert BODIES.taken_bytes == 0


def test_a_long_body_holds_room_for_its_copy(served):
    """It is gathered in pages of its own and copied once."""
    server, place = served
    server.add(Rule("a", "swell", size=8 * MIB))
    with body_of(place, "a", 8 * MIB) as found:
        assert found.raw == bytes(8 * MIB)
        assert BODIES.taken_bytes == 16 * MIB
    assert BODIES.taken_bytes == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_asks_through_connections_of_its_own(served):
    server, place = served
    assert fetch(place, "a", MIB)
    child = os.fork()
    if not child:
        os._exit(zlib.crc32(fetch(place, "a", MIB)) & 0x3F)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == zlib.crc32(bytes(range(100))) & 0x3F
    assert server.n_connections == 2
