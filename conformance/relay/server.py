"""Runs the relay on a port: for good, or in the background of this process."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any, Self

import uvicorn

from conformance.errors import UsageError
from conformance.relay.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from conformance.relay.wire import ASGIApp

_BACKLOG = 512
_LAST_PORT = 65_535
_SECONDS = 10.0
"""The longest that starting and stopping may take."""


def serve(host: str, port: int, app: ASGIApp, on_ready: Callable[[int], None]) -> None:
    """Serve until interrupted; port 0 takes a free one, and `on_ready` learns which.

    Raises UsageError when the port cannot be had.
    """
    with _listen(host, port) as listener:
        _Server(app, on_ready, listener.getsockname()[1]).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket."""
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"there is no port {port}", f"choose one from 1 to {_LAST_PORT}, or 0 for any")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen on {host}:{port}: {why}", "choose another host or port") from error
    return listener


class _Server(uvicorn.Server):
    """A quiet uvicorn that says when it is ready."""

    def __init__(self, app: ASGIApp, on_ready: Callable[[int], None], port: int) -> None:
        application: Any = app
        super().__init__(
            uvicorn.Config(
                application,
                log_config=None,
                log_level="critical",
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._on_ready = on_ready
        self._port = port

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self._on_ready(self._port)


class BackgroundRelay:
    """A relay on a free loopback port, served by a thread of this process.

    >>> with BackgroundRelay() as relay:
    ...     relay.base_url.endswith("/v1")
    True
    """

    def __init__(self, app: ASGIApp | None = None) -> None:
        self._app = app or create_app()
        self._ready = threading.Event()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""
        """Scheme, host and port; variants are below it, as `/fault/NAME/v1`."""

    @property
    def base_url(self) -> str:
        """What a client is given as base URL."""
        return f"{self.url}/v1"

    def variant(self, prefix: str) -> str:
        """The base URL of a variant, such as `fault/n-ignored` or `quirks/7`."""
        return f"{self.url}/{prefix.strip('/')}/v1"

    def start(self) -> Self:
        """Listen; requests are answered when this returns."""
        listener = _listen("127.0.0.1", 0)
        port = listener.getsockname()[1]
        self._server = _Server(self._app, lambda _: self._ready.set(), port)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="reference-relay", daemon=True
        )
        self._thread.start()
        self._ready.wait(_SECONDS)
        self.url = f"http://127.0.0.1:{port}"
        return self

    def close(self) -> None:
        """Stop listening and drop what is still being sent."""
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(_SECONDS)
            self._server = self._thread = None

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()
