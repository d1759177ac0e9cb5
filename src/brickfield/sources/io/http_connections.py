"""Connections to web servers that are kept open between requests.

A connection is lent to one request at a time and comes back only when its answer was
read to the end, so that no answer is ever taken for another one's. Proxies are those
of the environment, as for every program of the shell; certificates are checked
against those of the system.
"""

from __future__ import annotations

import base64
import http.client
import os
import select
import socket
import ssl
import threading
from collections import OrderedDict
from functools import lru_cache
from importlib import import_module
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

CONNECT_S = 16.0
"""Longest time for a connection to stand."""
MOST_IDLE = 64
"""Connections kept open in all."""


class Server(NamedTuple):
    """The server that a connection leads to."""

    scheme: str
    host: str
    port: int | None
    proxy: str


def server_of(parts: SplitResult) -> Server:
    """Tell from an address which server is asked, and through which proxy."""
    host = parts.hostname or ""
    return Server(parts.scheme, host, parts.port, proxy_of(parts.scheme, host))


@lru_cache(maxsize=64)
def proxy_of(scheme: str, host: str) -> str:
    """Return the address of the proxy for a host, from the environment; "" for none.

    Parameters
    ----------
    scheme : str
        "http" or "https".
    host : str
    """
    proxies = getproxies_environment()
    proxy = proxies.get(scheme) or proxies.get("all") or ""
    return "" if proxy and proxy_bypass(host) else proxy


def password_header(parts: SplitResult) -> str | None:
    """Return what an address with a user says in a header; None without."""
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


class Connections:
    """Lends connections out. Any thread may call it."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all connections (after a fork they belong to the parent)."""
        self._lock = threading.Lock()
        self._idle: OrderedDict[http.client.HTTPConnection, Server] = OrderedDict()

    def lend(self, server: Server) -> tuple[http.client.HTTPConnection, bool]:
        """Return a connection that stands, and whether it has been used before.

        Raises
        ------
        OSError, http.client.HTTPException
        """
        while (kept := self._kept(server)) is not None:
            if kept.sock is not None and not _is_readable(kept.sock):
                return kept, True
            # Nothing is owed: so it was closed at the other end.
            kept.close()
        connection = _new(server)
        connection.connect()
        return connection, False

    def _kept(self, server: Server) -> http.client.HTTPConnection | None:
        with self._lock:
            for connection in reversed(self._idle):
                if self._idle[connection] == server:
                    del self._idle[connection]
                    return connection
        return None

    def take_back(self, connection: http.client.HTTPConnection, server: Server) -> None:
        """Keep a connection for the next request; close the one that was idle longest.

        Parameters
        ----------
        connection : http.client.HTTPConnection
        server : Server
            What it is connected to.
        """
        oldest = None
        with self._lock:
            self._idle[connection] = server
            if len(self._idle) > MOST_IDLE:
                oldest, _ = self._idle.popitem(last=False)
        if oldest is not None:
            oldest.close()

    def close(self) -> None:
        """Close idle connections; other requests connect again."""
        with self._lock:
            idle, self._idle = list(self._idle), OrderedDict()
        for connection in idle:
            connection.close()


def _is_readable(sock: socket.socket) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))


def _new(server: Server) -> http.client.HTTPConnection:
    scheme, host, port, _ = server
    if server.proxy:
        return _through_proxy(server)
    if scheme == "https":
        return http.client.HTTPSConnection(
            host, port, timeout=CONNECT_S, context=_certificates()
        )
    return http.client.HTTPConnection(host, port, timeout=CONNECT_S)


def _through_proxy(server: Server) -> http.client.HTTPConnection:
    parts = urlsplit(server.proxy if "//" in server.proxy else f"//{server.proxy}")
    if parts.scheme not in ("", "http"):
        msg = f"expected an http proxy in the environment; found {parts.scheme}"
        raise OSError(msg)
    where = (parts.hostname or "", parts.port or 80)
    if server.scheme != "https":
        return http.client.HTTPConnection(*where, timeout=CONNECT_S)
    connection = http.client.HTTPSConnection(
        *where, timeout=CONNECT_S, context=_certificates()
    )
    password = password_header(parts)
    headers = {"Proxy-Authorization": password} if password else {}
    connection.set_tunnel(server.host, server.port or 443, headers=headers)
    return connection


def proxy_headers(server: Server) -> dict[str, str]:
    """Return what a plain request says to its proxy."""
    if not server.proxy or server.scheme == "https":
        return {}
    proxy = server.proxy if "//" in server.proxy else f"//{server.proxy}"
    password = password_header(urlsplit(proxy))
    return {"Proxy-Authorization": password} if password else {}


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    """Return the authorities that are trusted; certifi's where the system has none."""
    bundle = os.environ.get("TENSORSTORE_CA_BUNDLE")
    folder = os.environ.get("TENSORSTORE_CA_PATH")
    context = ssl.create_default_context(cafile=bundle, capath=folder)
    known = ssl.get_default_verify_paths()
    has_none = not (bundle or folder or known.cafile or known.capath)
    if has_none and not context.cert_store_stats()["x509_ca"]:
        try:
            context.load_verify_locations(import_module("certifi").where())
        except ImportError:
            return context
    return context
