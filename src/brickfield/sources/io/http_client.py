"""Requests to web servers, whose answers are never longer than allowed.

Invariant: of an answer at most its limit is ever in memory, whatever the server says
of its length; beyond it the connection is dropped. Stored and decoded lengths both
count where a server compresses what it sends.

Requests run in threads of their own, which are not waited for when the program ends:
a name that is looked up, or a connection that never comes up, cannot be interrupted. A
caller that waits for an :class:`Exchange` gives it up with ``cancel``, and looks with
every ``result`` whether bytes still come: below the limits of the environment
(:data:`LOW_SPEED`) the connection is dropped, and the request made again.
"""

from __future__ import annotations

import atexit
import http.client
import os
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Any, Generic, TypeVar
from urllib.parse import SplitResult, urlsplit

from brickfield.blockwise import format_bytes
from brickfield.sources.io.cancellation import late_by
from brickfield.sources.io.http_answers import (
    SMALL_BYTES,
    UNKNOWN_SIZE,
    HttpError,
    Sink,
    Span,
    check_part,
    decoded,
    drain,
    is_compressed,
    too_long,
)
from brickfield.sources.io.http_connections import (
    Connections,
    Server,
    password_header,
    proxy_headers,
    server_of,
)
from brickfield.sources.io.in_flight import BODIES, DECODED, give_back_heap

LOW_SPEED = {
    "TENSORSTORE_CURL_LOW_SPEED_TIME_SECONDS": "4",
    "TENSORSTORE_CURL_LOW_SPEED_LIMIT_BYTES": "64",
}
"""A transfer below this rate for this long is given up."""
MOST_AT_ONCE = 32
"""Requests under way at once."""
IDLE_S = 20.0
"""Seconds after which a thread without work ends."""
_PIECE = 1 << 18

T = TypeVar("T")


class GivenUpError(Exception):
    """The answer is not waited for any more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent.

    Attributes
    ----------
    status : int
    raw : bytes
        Of status 200 and 206 alone.
    n_bytes : int
        As sent.
    leads_to : str
        Of a redirect.
    tag : str
        What the server says of the version; "" without.
    size : int
        Bytes of the whole object, of which a part was asked.
    held_bytes : int
        Room in :data:`~brickfield.sources.io.in_flight.BODIES` to be released.
    """

    status: int
    raw: bytes = b""
    n_bytes: int = 0
    leads_to: str = ""
    tag: str = ""
    size: int = UNKNOWN_SIZE
    held_bytes: int = 0


class Exchange(Generic[T]):
    """Work that a thread does for a caller that waits; like a future, as far as needed.

    Parameters
    ----------
    work : callable
        Receives the exchange, to send requests with :meth:`get`.
    held_bytes : callable, optional
        From a result, the room that is released if the result is not taken.
    """

    def __init__(
        self,
        work: Callable[[Exchange[T]], T],
        held_bytes: Callable[[T], int] = lambda _: 0,
    ) -> None:
        self._work = work
        self._held_bytes = held_bytes
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._result: T | None = None
        self._error: BaseException | None = None
        self._is_given_up = False
        self._socket: socket.socket | None = None
        self._is_slow = False
        self._n_bytes = 0
        self._mark = (0.0, 0)

    # -- for the caller that waits ------------------------------------------------

    def result(self, timeout: float) -> T:
        """Wait for the result.

        Raises
        ------
        TimeoutError
            If it is not there yet.
        """
        began_at = monotonic()
        if not self._over.wait(timeout):
            self._look(late_by(began_at, timeout))
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]

    def cancel(self) -> None:
        """Give it up, and drop its connection."""
        with self._lock:
            if self._over.is_set():
                if self._error is None:
                    BODIES.give(self._held_bytes(self._result))  # type: ignore[arg-type]
                return
            self._is_given_up = True
            _cut(self._socket)
        self._over.set()

    def _look(self, late_s: float) -> None:
        """Drop a connection over which too little comes.

        Parameters
        ----------
        late_s : float
            Seconds that do not count: what came meanwhile could not be taken either.
        """
        seconds, least = _low_speed()
        with self._lock:
            # Looked at by the waiting thread: the working one is blocked in a system
            # call.
            since, n_bytes = self._mark
            self._mark = since, n_bytes = since + late_s, n_bytes
            spent_s = monotonic() - since
            if self._socket is None or not seconds or spent_s < seconds:
                return
            self._mark = monotonic(), self._n_bytes
            # Shutting the socket down ends that call with an error, which is then taken
            # for "too slow".
            if self._n_bytes - n_bytes < least * spent_s:
                self._is_slow = True
                _cut(self._socket)

    # -- for the thread that works ------------------------------------------------

    def run(self) -> None:
        """Do the work (in a thread of the pool)."""
        result, error = None, None
        try:
            if not self._is_given_up:
                result = self._work(self)
        except BaseException as exc:  # noqa: BLE001 - it is raised where one waits
            error = _without_frames(exc)
        with self._lock:
            if not self._is_given_up:
                self._result, self._error = result, error
            # The caller gave it up while it was being finished: nobody else releases
            # its room.
            elif result is not None:
                BODIES.give(self._held_bytes(result))
        self._over.set()

    def pause(self, seconds: float) -> None:
        """Wait before the next try.

        Raises
        ------
        GivenUpError
        """
        if self._over.wait(seconds):
            raise GivenUpError

    def get(self, url: str, limit: int, *, span: Span | None = None) -> Answer:
        """Send the request once.

        Parameters
        ----------
        url : str
        limit : int
            Most bytes of the body, as sent and as decoded.
        span : Span, optional
            Only that part; the limit is its length then.

        Raises
        ------
        HttpError
        GivenUpError
        """
        parts = urlsplit(url)
        try:
            return self._once(parts, url, limit, span)
        except HttpError:
            raise
        except (OSError, ssl.SSLError, http.client.HTTPException, ValueError) as error:
            if self._is_given_up:
                raise GivenUpError from None
            raise self._failure(url, error) from error

    def _failure(self, url: str, error: Exception) -> HttpError:
        if self._is_slow or isinstance(error, TimeoutError):
            return HttpError("DEADLINE_EXCEEDED", url, "timed out: too little came")
        if isinstance(error, http.client.IncompleteRead):
            return HttpError("UNAVAILABLE", url, "a partial answer: it ended too soon")
        text = str(error) or type(error).__name__
        return HttpError("UNAVAILABLE", url, text)

    def _once(
        self, parts: SplitResult, url: str, limit: int, span: Span | None
    ) -> Answer:
        server = server_of(parts)
        request = _request(parts, server, span)
        while True:
            # A kept connection may be dead; then the request is sent again on a new
            # one, once.
            connection, is_used = CONNECTIONS.lend(server)
            answer, is_kept = None, False
            try:
                answer = self._sent(connection, request, is_used)
                if answer is None:
                    continue
                found = self._take(answer, url, limit, span)
                # Only a connection whose response was read to its end can carry another
                # request.
                is_over = answer.length == 0 or answer.isclosed()
                is_kept = is_over and not answer.will_close
            finally:
                self._watch(None)
                if answer is not None:
                    answer.close()
                if not is_kept:
                    connection.close()
            if is_kept:
                CONNECTIONS.take_back(connection, server)
            return found

    def _sent(
        self,
        connection: http.client.HTTPConnection,
        request: tuple[str, dict[str, str]],
        is_used: bool,
    ) -> http.client.HTTPResponse | None:
        """Return the head of an answer; None when the connection was closed before."""
        try:
            self._watch(connection.sock)
            connection.request("GET", request[0], headers=request[1])
            return connection.getresponse()
        except (OSError, http.client.HTTPException):
            # A server may close what it kept open in this very moment.
            if is_used and not self._is_slow and not self._is_given_up:
                return None
            raise

    def _watch(self, sock: Any) -> None:
        with self._lock:
            if sock is not None and self._is_given_up:
                raise GivenUpError
            self._socket, self._is_slow = sock, self._is_slow and sock is None
            self._mark = monotonic(), self._n_bytes
        if sock is not None:
            sock.settimeout(_low_speed()[0] or None)

    def _take(
        self,
        answer: http.client.HTTPResponse,
        url: str,
        limit: int,
        span: Span | None,
    ) -> Answer:
        """Take the body of an answer, as far as it is wanted."""
        status = answer.status
        if status not in (200, 206):
            drain(answer)
            return Answer(status, leads_to=answer.getheader("Location") or "")
        size = check_part(answer, url, span)
        if span is not None:
            limit = span.length
        stated = answer.length
        if stated is not None and stated > limit:
            raise too_long(url, limit, format_bytes(stated))
        is_plain = not is_compressed(answer)
        # Unknown in advance without a length or with compression: room for the most
        # allowed.
        n_bytes = limit if stated is None or not is_plain else stated
        # Long ones are copied once when they are whole.
        held = n_bytes if n_bytes <= SMALL_BYTES else 2 * n_bytes
        # While it waits for room no bytes come: that must not count as too slow.
        sock, self._socket = self._socket, None
        if not BODIES.take(held, lambda: not self._is_given_up):
            raise GivenUpError
        try:
            self._watch(sock)
            give_back_heap(n_bytes)
            raw = self._body(answer, url, limit)
            plain = decoded(answer, raw, url, limit)
        except BaseException:
            BODIES.give(held)
            raise
        tag = answer.getheader("ETag") or ""
        return Answer(status, plain, len(raw), tag=tag, size=size, held_bytes=held)

    def _body(self, answer: http.client.HTTPResponse, url: str, limit: int) -> bytes:
        stated = answer.length
        with closing(Sink(limit if stated is None else stated)) as sink:
            # One byte beyond the limit is enough to know that there is more.
            while piece := answer.read1(min(_PIECE, limit - sink.n_bytes + 1)):
                self._n_bytes += len(piece)
                if sink.n_bytes + len(piece) > limit:
                    raise too_long(url, limit, "more")
                sink.write(piece)
                if answer.length == 0:
                    break
            if answer.length:
                raise http.client.IncompleteRead(b"", answer.length)
            return sink.value()


def _without_frames(error: BaseException) -> BaseException:
    """Release what the frames of a traceback hold: a response body."""
    inner: BaseException | None = error
    while inner is not None:
        # A traceback keeps all local variables of its frames alive, megabytes here.
        inner.__traceback__ = None
        inner = inner.__cause__ or inner.__context__
    return error


@lru_cache(maxsize=1)
def _low_speed() -> tuple[float, float]:
    found = []
    for name, default in LOW_SPEED.items():
        try:
            found.append(max(0.0, float(os.environ.get(name, default))))
        except ValueError:
            found.append(float(default))
    return found[0], found[1]


def _cut(sock: socket.socket | None) -> None:
    """End a connection that another thread reads from."""
    if sock is not None:
        try:
            # Not that of TLS, which would change what the other thread uses.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except OSError:
            return


def _request(
    parts: SplitResult, server: Server, span: Span | None
) -> tuple[str, dict[str, str]]:
    """Return target and headers of a request."""
    # A compressed part could not be told from the others.
    headers = {"Accept-Encoding": "gzip" if span is None else "identity"}
    if span is not None:
        headers["Range"] = span.header
    if (password := password_header(parts)) is not None:
        headers["Authorization"] = password
    headers.update(proxy_headers(server))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if server.proxy and server.scheme == "http":
        place = parts.netloc.rpartition("@")[2]
        headers["Host"] = place
        target = f"http://{place}{target}"
    return target, headers


class _Threads:
    """Runs exchanges in threads that come and go."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._news = threading.Condition()
        self._waiting: deque[Exchange[Any]] = deque()
        self._n = self._n_idle = 0

    def submit(self, exchange: Exchange[Any]) -> None:
        with self._news:
            self._waiting.append(exchange)
            # Threads are made on demand; those that wait take it first.
            if len(self._waiting) <= self._n_idle or self._n >= MOST_AT_ONCE:
                self._news.notify()
                return
            self._n += 1
        threading.Thread(
            target=self._serve, name="brickfield-http", daemon=True
        ).start()

    def _serve(self) -> None:
        while (exchange := self._next()) is not None:
            exchange.run()
            del exchange

    def _next(self) -> Exchange[Any] | None:
        with self._news:
            self._n_idle += 1
            self._news.wait_for(lambda: bool(self._waiting), IDLE_S)
            self._n_idle -= 1
            if self._waiting:
                return self._waiting.popleft()
            self._n -= 1
            return None


CONNECTIONS = Connections()
atexit.register(CONNECTIONS.close)
_THREADS = _Threads()


def _start_anew() -> None:
    """In a child process neither threads nor connections are there."""
    # After a fork the child has the locks and sockets, but none of the threads.
    for shared in (CONNECTIONS, _THREADS, BODIES, DECODED):
        shared.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)


def submit(
    work: Callable[[Exchange[T]], T], held_bytes: Callable[[T], int] = lambda _: 0
) -> Exchange[T]:
    """Start an exchange with servers on another thread.

    Parameters
    ----------
    work : callable
        Called with the exchange.
    held_bytes : callable
        Bytes that a result occupies until it is given back.
    """
    exchange = Exchange(work, held_bytes)
    _THREADS.submit(exchange)
    return exchange
