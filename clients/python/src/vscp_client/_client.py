"""The client for asyncio. It speaks ws1."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl as tls
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from ._errors import VscpError
from ._event import Event, Pattern
from ._login import TEST_KEY, encrypt, key_of

_log = logging.getLogger("vscp_client")

#: So many events wait at most to be taken; then the oldest are dropped.
_MAX_WAITING = 10_000
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
#: After so many seconds without a reply the connection counts as lost.
_REPLY_TIMEOUT = 20.0
#: Larger messages are none of this protocol: 512 bytes of data are less than 3 KiB.
_MAX_MESSAGE = 1 << 20

State = Literal["closed", "connecting", "open", "waiting"]


class Client:
    """A connection to a server, for one event loop.

    When the connection is lost, the client connects and logs in again by itself, with the same
    filter, after half a second at first and half a minute at most.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str,
        password: str,
        key: str = TEST_KEY,
        ca_file: str | None = None,
        ssl: tls.SSLContext | None = None,
        reconnect: bool = True,
    ) -> None:
        """Prepare a client for ``ws://host:port`` or ``wss://host:port``.

        ``key`` is the server's: the first 32 hex digits of its key file. A server whose certificate
        is not signed by an authority of the system needs ``ca_file``, a file with that certificate
        (PEM), or a whole context of ``ssl``.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss"):
            raise VscpError(0, f"found {url!r}, expected ws://HOST:PORT or wss://HOST:PORT")
        self._url = urlunsplit(parts._replace(path="/ws1") if parts.path in ("", "/") else parts)
        self._user = user
        self._password = password
        self._key = key_of(key)
        self._ssl: tls.SSLContext | None = None
        if parts.scheme == "wss":
            self._ssl = ssl or tls.create_default_context(cafile=ca_file)
        #: True if a connection that is lost is made again. May be changed at any time.
        self.reconnect = reconnect
        #: How many events were lost because nobody took them in time.
        self.dropped = 0
        #: How many messages of the server could not be read.
        self.unreadable = 0
        self._state: State = "closed"
        self._socket: ClientConnection | None = None
        self._replies: deque[asyncio.Future[list[str]]] = deque()
        self._filter: tuple[Pattern, Pattern] | None = None
        self._events: deque[Event] = deque()
        self._changed = asyncio.Event()
        self._error: BaseException | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        """"closed", "connecting", "open" (logged in) or "waiting" (to connect again)."""
        return self._state

    async def __aenter__(self) -> Client:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Connect and log in.

        Raises :class:`VscpError` if the login is refused or the server cannot be reached.
        """
        if self._task is not None and not self._task.done():
            return
        self._error = None
        reader = await self._open()
        self._task = asyncio.create_task(self._keep(reader))

    async def close(self) -> None:
        """End the connection for good."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        await self._drop(VscpError(0, "The connection was closed."))
        self._set_state("closed")

    async def send(self, event: Event) -> None:
        """Send an event. Returns when the server has taken it."""
        await self._ask(f"E;{event}")

    async def set_filter(self, pattern: Pattern | None = None, mask: Pattern | None = None) -> None:
        """Let only events through that are equal to ``pattern`` where ``mask`` has ones.

        Without a mask: that are equal in the fields given. Without both: all events.
        """
        pattern = pattern or Pattern()
        patterns = (pattern, mask or pattern.mask())
        await self._ask(_filter_command(patterns))
        self._filter = patterns

    async def command(self, word: str) -> list[str]:
        """Send another command (NOOP, VERSION, CLRQ, ..); returns the fields of its reply."""
        return await self._ask(f"C;{word}")

    async def receive(self) -> Event:
        """Wait for the next event.

        Raises :class:`VscpError` if the connection is lost for good.
        """
        events = await self.receive_all(1)
        return events[0]

    async def receive_all(self, limit: int | None = None) -> list[Event]:
        """Wait until there are events; return them all, or the oldest ones up to a limit."""
        while not self._events:
            if self._state == "closed":
                raise self._error or VscpError(0, "There is no connection.")
            self._changed.clear()
            await self._changed.wait()
        count = len(self._events) if limit is None else min(limit, len(self._events))
        return [self._events.popleft() for _ in range(count)]

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Give the events one after the other, over reconnections, until the client is closed."""
        while True:
            try:
                event = await self.receive()
            except VscpError:
                if self._error is None:
                    return  # closed by close()
                raise
            yield event

    async def _open(self) -> asyncio.Task[None]:
        """Connect and log in once; return the task that reads until the connection ends."""
        self._set_state("connecting")
        try:
            socket = await connect(self._url, ssl=self._ssl, max_size=_MAX_MESSAGE)
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            self._set_state("closed")
            raise VscpError(0, f"The server cannot be reached: {error}.") from error
        self._socket = socket
        reader = asyncio.create_task(self._read(socket))
        try:
            # The server speaks first: its session id comes as if it were the reply to a request.
            greeting = await self._request(None)
            session = greeting[-1]
            await self._request(f"C;AUTH;{session};{encrypt(self._key, session, self._user, self._password)}")
            if self._filter is not None:
                await self._request(_filter_command(self._filter))
            await self._request("C;OPEN")
        except BaseException as error:
            await self._drop(error)
            await asyncio.wait([reader])
            self._set_state("closed")
            raise
        self._set_state("open")
        return reader

    async def _keep(self, reader: asyncio.Task[None]) -> None:
        """Wait for the end of the connection, and make it again."""
        attempts = 0
        while True:
            await reader
            await self._drop(VscpError(0, "The connection was lost."))
            while True:
                if not self.reconnect:
                    return self._give_up(VscpError(0, "The connection was lost."))
                delay = min(_FIRST_DELAY * 2**attempts, _LONGEST_DELAY) * random.uniform(0.75, 1)
                attempts = min(attempts + 1, 10)
                self._set_state("waiting")
                await asyncio.sleep(delay)
                try:
                    reader = await self._open()
                except VscpError as error:
                    if error.code:
                        return self._give_up(error)
                    _log.info("%s: %s", self._url, error)
                    continue
                attempts = 0
                break

    def _give_up(self, error: VscpError) -> None:
        self._error = error
        self._set_state("closed")

    async def _read(self, socket: ClientConnection) -> None:
        """Read messages until the connection ends."""
        try:
            async for message in socket:
                if isinstance(message, str):
                    self._take(message)
        except ConnectionClosed:
            pass
        finally:
            self._fail_requests(VscpError(0, "The connection was lost."))

    def _take(self, message: str) -> None:
        sign, _, rest = message.partition(";")
        if sign == "E":
            try:
                event = Event.parse(rest)
            except ValueError as error:
                self.unreadable += 1
                if self.unreadable == 1:
                    _log.warning("%s: an event cannot be read: %s", self._url, error)
                return
            if len(self._events) >= _MAX_WAITING:
                self._events.popleft()
                self.dropped += 1
            self._events.append(event)
            self._changed.set()
            return
        if not self._replies:
            return
        reply = self._replies.popleft()
        if reply.done():
            return  # nobody waits for it any more
        fields = rest.split(";")
        if sign == "+":
            reply.set_result(fields)
        else:
            code, text = fields[-2:] if len(fields) > 1 and fields[-2].isdigit() else ("10", rest)
            reply.set_exception(VscpError(int(code), text))

    async def _ask(self, text: str) -> list[str]:
        """Make a request for the time after the login."""
        if self._state != "open":
            raise VscpError(0, "There is no connection.")
        return await self._request(text)

    async def _request(self, text: str | None) -> list[str]:
        """Send ``text`` and wait for its reply. Replies come in the order of the requests."""
        socket = self._socket
        if socket is None:
            raise VscpError(0, "There is no connection.")
        reply: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._replies.append(reply)
        try:
            if text is not None:
                await socket.send(text)
            return await asyncio.wait_for(reply, _REPLY_TIMEOUT)
        except ConnectionClosed as error:
            raise VscpError(0, "The connection was lost.") from error
        except TimeoutError as error:
            # Replies could not be told apart any more.
            await socket.close()
            raise VscpError(0, "The server does not answer.") from error

    async def _drop(self, error: BaseException) -> None:
        """End the connection that there is."""
        socket, self._socket = self._socket, None
        self._fail_requests(error)
        if socket is not None:
            await socket.close()

    def _fail_requests(self, error: BaseException) -> None:
        while self._replies:
            reply = self._replies.popleft()
            if not reply.done():
                reply.set_exception(error)
                reply.exception()  # whoever waits for it sees it all the same

    def _set_state(self, state: State) -> None:
        self._state = state
        self._changed.set()


def _filter_command(patterns: tuple[Pattern, Pattern]) -> str:
    return ";".join(["C;SF", *(pattern.filter_text() for pattern in patterns)])
