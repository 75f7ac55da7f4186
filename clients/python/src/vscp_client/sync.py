"""The client for programs without asyncio: a thread of its own does the work."""

from __future__ import annotations

import asyncio
import ssl as tls
import threading
from collections import deque
from collections.abc import Coroutine, Iterator
from types import TracebackType
from typing import Any, TypeVar

from ._client import Client as AsyncClient
from ._client import State
from ._errors import VscpError
from ._event import Event, Pattern
from ._login import TEST_KEY

_Result = TypeVar("_Result")


class Client:
    """A connection to a server, as :class:`vscp_client.Client` is one::

        with Client("ws://localhost:8884", user="admin", password="secret") as client:
            client.send(Event(30, 5, bytes([0, 1, 2])))
            for event in client:
                print(event, event.measurement)

    It may be used by several threads, of which one takes the events.
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
        """Prepare a client: see :class:`vscp_client.Client`."""
        self._client = AsyncClient(
            url, user=user, password=password, key=key, ca_file=ca_file, ssl=ssl, reconnect=reconnect
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._taken: deque[Event] = deque()

    @property
    def state(self) -> State:
        """"closed", "connecting", "open" (logged in) or "waiting" (to connect again)."""
        return self._client.state

    @property
    def dropped(self) -> int:
        """How many events were lost because nobody took them in time."""
        return self._client.dropped

    def __enter__(self) -> Client:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Connect and log in.

        Raises :class:`VscpError` if the login is refused or the server cannot be reached.
        """
        if self._loop is None:
            loop = asyncio.new_event_loop()
            self._loop = loop
            self._thread = threading.Thread(target=loop.run_forever, name="vscp-client", daemon=True)
            self._thread.start()
        try:
            self._wait(self._client.connect())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the connection for good."""
        # Work that another thread has begun is in the loop before the end is.
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
            loop.close()

    def send(self, event: Event) -> None:
        """Send an event. Returns when the server has taken it."""
        self._wait(self._client.send(event))

    def set_filter(self, pattern: Pattern | None = None, mask: Pattern | None = None) -> None:
        """Let only events through that are equal to ``pattern`` where ``mask`` has ones."""
        self._wait(self._client.set_filter(pattern, mask))

    def command(self, word: str) -> list[str]:
        """Send another command (NOOP, VERSION, CLRQ, ..); returns the fields of its reply."""
        return self._wait(self._client.command(word))

    def receive(self, timeout: float | None = None) -> Event | None:
        """Wait for the next event; return None if there is none within so many seconds.

        Raises :class:`VscpError` if the connection is lost for good.
        """
        if not self._taken:
            try:
                self._taken.extend(self._wait(asyncio.wait_for(self._client.receive_all(), timeout)))
            except TimeoutError:
                return None
        return self._taken.popleft()

    def __iter__(self) -> Iterator[Event]:
        """Give the events one after the other, over reconnections, until the client is closed."""
        while True:
            try:
                event = self.receive()
            except VscpError:
                if self._loop is None:
                    return  # closed by close()
                raise
            if event is not None:
                yield event

    async def _end(self) -> None:
        """Close the client, and wait until all who wait for something of it have been told."""
        await self._client.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others)

    def _wait(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Do something in the thread of the client, and wait for its result."""
        with self._lock:
            if self._loop is None:
                work.close()
                raise VscpError(0, "There is no connection.")
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise
