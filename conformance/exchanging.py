"""Sends one case and records what comes of it: clients, bounds, and failures by kind.

The relay is untrusted: redirects are not followed, cookies are not kept, idle time and total time are bounded.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import Self

import httpx

from conformance.fetching import NotPublicError, Route, route_to
from conformance.inflate import UnreadableEncodingError
from conformance.materialise import Target, is_elsewhere, materialise
from conformance.model import Case, Exchange, Failure, Limits, Request
from conformance.receiving import Receiver

SHARD = 4
"""Requests in flight for each client: httpx's pool costs more CPU for each request above that."""

_LONGEST_DETAIL = 2_000  # characters of an error's text; the ledger masks it before it is cut to a line
_KEEPALIVE = 2.0  # shorter than any server's, so that a request never meets a connection that is being closed


class _NoCookies(DefaultCookiePolicy):
    """Takes none, so none is sent: a request is what the ledger says, whatever was answered before."""

    def set_ok(self, *_: object) -> bool:
        return False


async def _keep_headers(response: httpx.Response) -> None:
    """Set the headers as they came aside, and hide a redirect from httpx, which stumbles over odd addresses."""
    response.extensions["headers"] = response.headers.raw
    response.headers.pop("location", None)


class Exchanger:
    """Several small clients rather than one large one; each request goes to the least busy."""

    def __init__(self, base_url: str, limits: Limits) -> None:
        self._limits = limits
        self._base_url = base_url
        verify = _tls() if base_url.lower().startswith("https:") else False
        self._clients = [_client(verify, limits) for _ in range(-(-limits.concurrency // SHARD))]
        self._busy = [0] * len(self._clients)
        self._elsewhere: httpx.AsyncClient | None = None
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for client in self._clients:
            await self._open.enter_async_context(client)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def exchange(self, case: Case, target: Target, began: Callable[[], object] = lambda: None) -> Exchange:
        """One request and what came of it; never raises but when cancelled.

        `began` is called when the first event of a stream has arrived.
        """
        request = materialise(case, target)
        mine = self._busy.index(min(self._busy))  # a request that waits in a full pool would seem slow
        started, clock = time.time(), time.monotonic()
        receiver = Receiver(self._limits, case, clock, began)
        self._busy[mine] += 1
        try:
            client = await self._client_elsewhere() if is_elsewhere(case) else self._clients[mine]
            failure = await self._received(receiver, client, request, elsewhere=is_elsewhere(case))
        finally:
            self._busy[mine] -= 1
        return Exchange(
            case=case,
            model=target.model_of(case),
            request=request,
            response=receiver.response(),
            failure=failure or receiver.failure,
            started=round(started, 3),
            seconds=round(time.monotonic() - clock, 4),
        )

    async def _client_elsewhere(self) -> httpx.AsyncClient:
        """The client for addresses that answers name; made when there is the first."""
        if self._elsewhere is None:
            self._elsewhere = await self._open.enter_async_context(_client(_tls(), self._limits))
        return self._elsewhere

    async def _received(
        self, receiver: Receiver, client: httpx.AsyncClient, request: Request, *, elsewhere: bool
    ) -> Failure | None:
        """Let the answer come; why it did not come whole."""
        try:
            async with asyncio.timeout(self._limits.timeout):
                route = await route_to(request.url, self._base_url) if elsewhere else Route(request.url)
                await receiver.read(client, request, route)
        except NotPublicError as error:
            return Failure("private", str(error))
        except TimeoutError:
            received = len(receiver.body)
            return Failure("timeout", f"not finished after {self._limits.timeout:g} s, {received} bytes so far")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError, OSError) as error:
            return _failure(error, self._limits)
        return None


@cache
def _tls() -> ssl.SSLContext:
    """How servers are checked. Building this takes as long as ten requests: one for all clients, none without TLS."""
    return httpx.create_ssl_context()


def _client(verify: ssl.SSLContext | bool, limits: Limits) -> httpx.AsyncClient:  # noqa: FBT001 - httpx takes either
    """A client that keeps nothing of one answer for the next request."""
    client = httpx.AsyncClient(
        verify=verify,
        follow_redirects=False,
        timeout=httpx.Timeout(limits.idle, connect=min(10.0, limits.idle), pool=None),
        limits=httpx.Limits(max_connections=SHARD, keepalive_expiry=_KEEPALIVE),
        event_hooks={"response": [_keep_headers]},
    )
    client.cookies.jar.set_policy(_NoCookies())
    return client


def _failure(error: Exception, limits: Limits) -> Failure:  # noqa: PLR0911 - one for each kind
    """What went wrong, by kind."""
    text = " ".join(str(error).split())[:_LONGEST_DETAIL] or type(error).__name__
    causes = []
    cause: BaseException | None = error
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, UnreadableEncodingError):
        return Failure("encoding", text)
    if isinstance(error, (httpx.InvalidURL, UnicodeError)):
        return Failure("dns", text)  # a host name that no name server would be asked for
    if isinstance(error, httpx.ConnectTimeout):
        return Failure("timeout", "no connection in time")
    if isinstance(error, httpx.TimeoutException):
        return Failure("idle", f"no byte for {limits.idle:g} s")
    if isinstance(error, httpx.ConnectError):
        if any(isinstance(each, ssl.SSLError) for each in causes):
            return Failure("tls", text)
        return Failure("dns" if any(isinstance(each, socket.gaierror) for each in causes) else "refused", text)
    if isinstance(error, httpx.RemoteProtocolError) and "without" not in text:
        return Failure("protocol", text)
    return Failure("reset", text)
