"""A web server on this machine that misbehaves as it is told.

It serves one folder with ranges and keep-alive, counts what it is asked for, and
makes faults by rule: the first rule that fits a request and still has something
to do decides. Whether a rule with a `share` hits depends on the seed, the path
and how often that path was asked for, never on the order of threads.
"""

from __future__ import annotations

import hashlib
import socket
import struct
import threading
import time
import zlib
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, cast
from urllib.parse import unquote, urlsplit

Kind = Literal[
    "delay",
    "error",
    "stall",
    "truncate",
    "short",
    "corrupt",
    "absent",
    "redirect",
    "whole",
    "swell",
    "trickle",
]
Says = Literal["length", "less", "nothing", "chunked", "gzip"]
ZEROS = bytes(1 << 16)
_SQUEEZE = zlib.compressobj(wbits=-15)
SQUEEZED = _SQUEEZE.compress(ZEROS) + _SQUEEZE.flush(zlib.Z_FULL_FLUSH)
"""Deflated zeros, which can follow one another without end."""
GZIP_HEAD = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
PAGE = b"<!doctype html><html><body>nothing to see</body></html>"


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to misbehave.

    Attributes
    ----------
    pattern : str
        Paths that it is for, as shells match names: ``"*/c/*"``.
    kind : str
        ``delay`` waits, then answers; ``error`` answers with `status`; ``stall``
        sends half of the body and then nothing for `seconds`; ``truncate`` closes
        the connection half-way; ``short`` sends a shorter body as if it were
        whole; ``corrupt`` changes bytes at the front; ``absent`` answers with
        `status` for what does not exist (200: with a web page); ``redirect`` sends
        on, with `status`, to the same path behind `to`; ``whole`` knows no ranges;
        ``swell`` sends `size` zeros in place of what is stored, and ``trickle`` one
        byte every `seconds` without end, both as a part where one was asked for.
    status : int
    to : str
    seconds : float
    times : int or None
        Only for the first requests of every path; None for all.
    share : float
        Part of the requests that it hits.
    size : int
    says : str
        What the head of a ``swell`` says of its length: the truth, less (a tenth),
        nothing, that it comes ``chunked``, or that it is compressed (``gzip``).
    """

    pattern: str
    kind: Kind
    status: int = 503
    seconds: float = 0.05
    times: int | None = None
    share: float = 1.0
    to: str = ""
    size: int = 0
    says: Says = "length"


class FaultServer:
    """Serves a folder on 127.0.0.1 while the ``with`` block runs.

    Parameters
    ----------
    folder : Path
    *rules : Rule
        More can be added at any time with :meth:`add`.
    seed : int
        For rules with a share.

    Attributes
    ----------
    requests, bytes_sent : Counter
        By path, without the slash in front. Only read them between requests.
    with_password : int
        Requests that came with one.
    n_connections : int
        Connections so far.
    """

    def __init__(self, folder: Path, *rules: Rule, seed: int = 0) -> None:
        self.folder = folder.resolve()
        self.requests: Counter[str] = Counter()
        self.bytes_sent: Counter[str] = Counter()
        self.seed = seed
        self.with_password = self.n_connections = 0
        self.stop_stalling = threading.Event()
        self._rules = list(rules)
        self._lock = threading.Lock()
        self._spans: list[tuple[float, float]] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.faults = self
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="brickfield-fault-server",
        )

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End every connection and every thread."""
        self.stop_stalling.set()
        self._server.shutdown()
        self._server.end_connections()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Address of the folder, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def n_requests(self) -> int:
        """Requests so far."""
        return sum(self.requests.values())

    @property
    def n_bytes(self) -> int:
        """Bytes of bodies sent so far."""
        return sum(self.bytes_sent.values())

    @property
    def n_rounds(self) -> int:
        """Round trips one after another: most requests of which none overlap."""
        rounds, free_at = 0, float("-inf")
        with self._lock:
            spans = sorted(self._spans, key=lambda span: span[1])
        for start, end in spans:
            if start >= free_at:
                rounds, free_at = rounds + 1, end
        return rounds

    def add(self, *rules: Rule) -> None:
        """Add rules after the present ones."""
        with self._lock:
            self._rules.extend(rules)

    def clear(self) -> None:
        """Forget rules and counts."""
        with self._lock:
            self._rules.clear()
            self._spans.clear()
            self.requests.clear()
            self.bytes_sent.clear()

    def rule_for(self, path: str) -> tuple[Rule | None, float]:
        """Count a request; return the rule that it falls under, and the delay."""
        with self._lock:
            nth = self.requests[path]
            self.requests[path] += 1
            fits = [r for r in self._rules if self._hits(r, path, nth)]
        delay = sum(r.seconds for r in fits if r.kind == "delay")
        return next((r for r in fits if r.kind != "delay"), None), delay

    def _hits(self, rule: Rule, path: str, nth: int) -> bool:
        if not fnmatch(path, rule.pattern):
            return False
        if rule.times is not None and nth >= rule.times:
            return False
        digest = hashlib.blake2b(f"{self.seed}|{path}|{nth}".encode(), digest_size=8)
        return int.from_bytes(digest.digest(), "big") < rule.share * 2**64

    def count_bytes(self, path: str, n_bytes: int) -> None:
        """Count bytes of a response body.

        Parameters
        ----------
        path : str
            Of the request.
        n_bytes : int
        """
        with self._lock:
            self.bytes_sent[path] += n_bytes

    def note_span(self, start: float, end: float) -> None:
        """Record when a request began and ended.

        Parameters
        ----------
        start : float
            Seconds of :func:`time.monotonic`.
        end : float
            Likewise.
        """
        with self._lock:
            self._spans.append((start, end))


class _Server(ThreadingHTTPServer):
    """Knows its connections, so that it can end them."""

    daemon_threads = False
    request_queue_size = 128
    faults: FaultServer

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.faults.n_connections += 1
        with self._connections_lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        with self._connections_lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away is expected."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave together: else delayed acknowledgements add 40 ms.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, *args: Any) -> None:
        pass

    def _answer(self, *, with_body: bool) -> None:
        faults = cast("_Server", self.server).faults
        start = time.monotonic()
        path = unquote(urlsplit(self.path).path).lstrip("/")
        if self.headers.get("Authorization"):
            faults.with_password += 1
        rule, delay = faults.rule_for(path)
        if delay:
            faults.stop_stalling.wait(delay)
        faults.note_span(start, time.monotonic())
        if rule is not None and rule.kind == "error":
            self._plain(rule.status)
        elif rule is not None and rule.kind == "redirect":
            self._plain(rule.status, Location=f"{rule.to}{self.path}")
        elif rule is not None and rule.kind == "swell":
            self._swollen(faults, path, rule)
        elif rule is not None and rule.kind == "trickle":
            self._trickled(faults, path, rule)
        else:
            self._file(faults, path, rule, with_body)

    def _plain(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _swollen(self, faults: FaultServer, path: str, rule: Rule) -> None:
        self._part_head()
        if rule.says in ("length", "less"):
            stated = rule.size if rule.says == "length" else rule.size // 10
            self.send_header("Content-Length", str(stated))
        elif rule.says == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        elif rule.says == "gzip":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.close_connection = True
        piece = SQUEEZED if rule.says == "gzip" else ZEROS
        if rule.says == "gzip":
            self.wfile.write(GZIP_HEAD)
        for at in range(0, rule.size, len(ZEROS)):
            sent = piece[: rule.size - at]
            if rule.says == "chunked":
                sent = b"%x\r\n%b\r\n" % (len(sent), sent)
            faults.count_bytes(path, len(sent))
            self.wfile.write(sent)
        if rule.says == "chunked":
            self.wfile.write(b"0\r\n\r\n")
        if rule.says == "gzip":
            # The end: a last empty block, checksum and length.
            crc = zlib.crc32(bytes(rule.size)) if rule.size <= 1 << 24 else 0
            self.wfile.write(b"\x03\x00" + struct.pack("<II", crc, rule.size))

    def _trickled(self, faults: FaultServer, path: str, rule: Rule) -> None:
        self._part_head()
        self.end_headers()
        self.close_connection = True
        while not faults.stop_stalling.wait(rule.seconds):
            faults.count_bytes(path, 1)
            self.wfile.write(b"0")
            self.wfile.flush()

    def _part_head(self) -> None:
        """Begin an answer to what was asked, as if it were the part asked for."""
        start, stop, status = self._range(1 << 40)
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{1 << 40}")

    def _file(
        self, faults: FaultServer, path: str, rule: Rule | None, with_body: bool
    ) -> None:
        file = (faults.folder / path).resolve()
        if not file.is_relative_to(faults.folder) or not file.is_file():
            is_told = rule is not None and rule.kind == "absent"
            status = rule.status if rule is not None and is_told else 404
            self._plain(status, PAGE if status == 200 else b"")
            return
        whole = file.read_bytes()
        start, stop, status = self._range(len(whole))
        if rule is not None and rule.kind == "whole":
            start, stop, status = 0, len(whole), 200
        if status == 416:
            self._plain(416)
            return
        body = _changed(whole[start:stop], rule)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        # Readers of S3 insist on one.
        etag = hashlib.blake2b(whole, digest_size=8).hexdigest()
        self.send_header("ETag", f'"{etag}"')
        if status == 206:
            last = start + len(body) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(whole)}")
        self.end_headers()
        if with_body:
            self._body(faults, path, rule, body)

    def _body(
        self, faults: FaultServer, path: str, rule: Rule | None, body: bytes
    ) -> None:
        is_cut = rule is not None and rule.kind in ("stall", "truncate")
        sent = body[: len(body) // 2] if is_cut else body
        # Counted first: a client that has the last byte must find it counted.
        faults.count_bytes(path, len(sent))
        self.wfile.write(sent)
        self.wfile.flush()
        if rule is not None and rule.kind == "stall":
            faults.stop_stalling.wait(rule.seconds)
        if is_cut:
            self.close_connection = True

    def _range(self, size: int) -> tuple[int, int, int]:
        """First byte, past the last one, and status of the answer."""
        header = self.headers.get("Range", "")
        if not header.startswith("bytes="):
            return 0, size, 200
        first, _, last = header.removeprefix("bytes=").partition("-")
        if not first:
            return max(0, size - int(last)), size, 206
        start = int(first)
        if start >= size:
            return 0, 0, 416
        return start, min(size, int(last) + 1) if last else size, 206


def _changed(body: bytes, rule: Rule | None) -> bytes:
    if rule is None:
        return body
    if rule.kind == "short":
        return body[: len(body) // 2]
    if rule.kind == "corrupt":
        return bytes(b ^ 0xA5 for b in body[:64]) + body[64:]
    return body
