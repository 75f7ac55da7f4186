"""A client of VSCP websocket servers.

With asyncio::

    async with Client("ws://localhost:8884", user="admin", password="secret") as client:
        await client.send(Event(30, 5, bytes([0, 1, 2])))
        async for event in client:
            print(event, event.measurement)

Without it, the same is in :mod:`vscp_client.sync`.
"""

from ._client import Client
from ._errors import VscpError
from ._event import Event, Pattern
from ._login import TEST_KEY
from ._measurement import Measurement

__all__ = ["TEST_KEY", "Client", "Event", "Measurement", "Pattern", "VscpError"]
