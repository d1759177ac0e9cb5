"""Reads end when nobody wants them any more, whatever the server does."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import numpy as np
import pytest

from brickfield.errors import ChunkReadError
from brickfield.sources.io.cancellation import LOOK_S, result_of, while_wanted
from brickfield.sources.open import open_source
from brickfield.testing.http_server import FaultServer, Rule
from brickfield.testing.zarr_stores import write_image


class Never:
    """A future that is never done."""

    def __init__(self) -> None:
        self.is_waited_for = threading.Event()
        self.is_cancelled = False

    def result(self, timeout: float) -> object:
        self.is_waited_for.set()
        raise TimeoutError

    def cancel(self) -> None:
        self.is_cancelled = True


@pytest.fixture
def stalled(tmp_path):
    """A server of a.ome.zarr that sends half of each chunk and then nothing."""
    data = np.arange(32**3, dtype=np.uint16).reshape(32, 32, 32)
    write_image(tmp_path / "a.ome.zarr", [data], chunks=(16, 16, 16))
    rule = Rule("*/0/*/*", "stall", seconds=600)
    with FaultServer(tmp_path, rule) as server:
        yield server


def test_a_wait_ends_when_the_answer_is_not_wanted_any_more():
    future, wanted = Never(), threading.Event()
    wanted.set()

    def read() -> None:
        with while_wanted(wanted.is_set):
            result_of(future)

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(read)
        assert future.is_waited_for.wait(10)
        wanted.clear()
        with pytest.raises(ChunkReadError, match="given up"):
            answer.result(10)
    assert future.is_cancelled


def test_closing_a_source_ends_its_reads(stalled):
    source = open_source(f"{stalled.url}/a.ome.zarr")
    n_before, end = stalled.n_requests, monotonic() + 10
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(source.read_storage_chunk, 0, (0, 0, 0))
        while stalled.n_requests == n_before and monotonic() < end:
            sleep(0.01)
        source.close()
        with pytest.raises(ChunkReadError, match="given up"):
            answer.result(30)


def test_a_program_ends_while_a_server_stalls(stalled):
    code = (
        "import sys, brickfield as bf; store = bf.open_store(sys.argv[1]);"
        "store.manager.request_chunks(store.get_data_request([[0, 0, 0], [31, 31, 31]],"
        " visual_id='a'), 'a'); print(store.manager.wait('a', 0.5))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, f"{stalled.url}/a.ome.zarr"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")


def test_a_wait_with_a_limit_ends_by_itself_and_may_be_tried_again():
    future = Never()
    with (
        while_wanted(lambda: True, limit_s=0.0),
        while_wanted(lambda: True),
        pytest.raises(ChunkReadError, match="did not answer within 0 s") as ended,
    ):
        result_of(future)
    assert ended.value.is_transient
    assert future.is_cancelled


def test_time_that_the_machine_slept_is_not_the_storages(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("brickfield.sources.io.cancellation.monotonic", lambda: now[0])

    class Late(Never):
        waits = iter([1000.0, LOOK_S])

        def result(self, timeout):
            now[0] += next(self.waits, 0.0) or timeout
            return super().result(timeout) if now[0] < 1000.4 else "read"

    with while_wanted(lambda: True, limit_s=40.0):
        assert result_of(Late()) == "read"


def test_nested_waits_end_when_either_does():
    future, outer = Never(), threading.Event()
    outer.set()

    def read() -> None:
        with while_wanted(outer.is_set), while_wanted(lambda: True):
            result_of(future)

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(read)
        assert future.is_waited_for.wait(10)
        outer.clear()
        with pytest.raises(ChunkReadError) as caught:
            answer.result(10)
    assert caught.value.is_transient
