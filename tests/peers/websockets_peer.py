"""The library websockets as a client: what well-behaved clients do, and how they are ended."""

import asyncio
import json
import os
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from frames import LIMIT
from report import Report

SECONDS = 20


def open_to(path, tls=False, **options):
    if tls:
        options["ssl"] = ssl.create_default_context(cafile=os.environ["PEERS_CA"])
        url = f"wss://localhost:{os.environ['PEERS_TLS_PORT']}{path}"
        options.setdefault("host", "127.0.0.1")
    else:
        url = f"ws://127.0.0.1:{os.environ['PEERS_PORT']}{path}"
    options.setdefault("ping_interval", None)
    return connect(url, open_timeout=SECONDS, close_timeout=SECONDS, **options)


async def greeting(tls):
    async with open_to("/ws1", tls) as client:
        assert (await client.recv()).startswith("+;AUTH0;")
    async with open_to("/ws2", tls) as client:
        assert json.loads(await client.recv())["args"][0] == "AUTH0"


async def subprotocol(tls):
    for offered, chosen in [
        (None, None),
        (["vscp-std"], "vscp-std"),
        (["chat", "vscp-std"], "vscp-std"),
        (["vscp-std", "vscp-std2"], "vscp-std"),
        (["chat"], None),
        (["vscp-json"], None),
    ]:
        async with open_to("/ws1", tls, subprotocols=offered) as client:
            assert client.subprotocol == chosen, (offered, client.subprotocol)


async def no_compression(tls):
    for compression in ["deflate", None]:
        async with open_to("/ws1", tls, compression=compression) as client:
            assert not client.protocol.extensions
            await client.recv()
            await client.send("C;NOOP")
            assert await client.recv() == "+;NOOP"


async def fragments(tls):
    async with open_to("/ws1", tls) as client:
        await client.recv()
        await client.send(["C;", "NO", "", "OP", ";", "grüße" * 1000])
        assert await client.recv() == "+;NOOP"


async def fragments_with_pings(tls):
    async def parts():
        for part in ["C;NOOP;", "a", "b", "c"]:
            yield part
            waiter = await client.ping(part)
            await asyncio.wait_for(waiter, SECONDS)

    async with open_to("/ws1", tls) as client:
        await client.recv()
        await client.send(parts())
        assert await client.recv() == "+;NOOP"


async def pings(tls):
    async with open_to("/ws1", tls) as client:
        await client.recv()
        for size in [0, 1, 64, 125]:
            waiter = await client.ping(b"\xfe" * size)
            await asyncio.wait_for(waiter, SECONDS)
        waiters = [await client.ping(f"{number}") for number in range(100)]
        await asyncio.wait_for(asyncio.gather(*waiters), SECONDS)
        await client.pong(b"nobody asked")
        await client.send("C;NOOP")
        assert await client.recv() == "+;NOOP"


async def keepalive(tls):
    async with open_to("/ws1", tls, ping_interval=0.02, ping_timeout=SECONDS) as client:
        await client.recv()
        for _ in range(20):
            await client.send("C;NOOP")
            assert await client.recv() == "+;NOOP"
            await asyncio.sleep(0.02)
        assert client.latency > 0


async def largest(tls):
    async with open_to("/ws1", tls) as client:
        await client.recv()
        await client.send("C;NOOP;" + "*" * (LIMIT - 7))
        assert await client.recv() == "+;NOOP"
        await client.send("C;NOOP;" + "*" * (LIMIT - 6))
        await closed(client, 1009)


async def binary(tls):
    async with open_to("/ws2", tls) as client:
        await client.recv()
        await client.send(b"binary")
        await closed(client, 1003)


async def close_codes(tls):
    for number in [1000, 1001, 1008, 1011, 3000, 4999]:
        client = await open_to("/ws1", tls)
        await client.recv()
        await client.close(number, "reason of the client")
        assert client.close_code == number, client.close_code


async def closed(client, number):
    try:
        await asyncio.wait_for(client.recv(), SECONDS)
    except ConnectionClosed as end:
        assert end.rcvd and end.rcvd.code == number, end
    else:
        raise AssertionError("not closed")


async def wrong_path(tls):
    for path, status in [("/nothing", 404), ("/rest", 200), ("/metrics", 200)]:
        try:
            await open_to(path, tls)
        except InvalidStatus as refused:
            assert refused.response.status_code == status, refused
        else:
            raise AssertionError(f"{path} is a websocket")


async def many_messages(tls):
    async with open_to("/ws2", tls, max_queue=None) as client:
        await client.recv()
        for _ in range(2000):
            await client.send('{"type":"C","command":"NOOP"}')
        for _ in range(2000):
            assert json.loads(await client.recv())["command"] == "NOOP"


async def many_clients(tls):
    async def one():
        async with open_to("/ws1", tls) as client:
            await client.recv()
            await client.send("C;NOOP")
            assert await client.recv() == "+;NOOP"

    await asyncio.gather(*(one() for _ in range(50)))


CASES = [
    greeting,
    subprotocol,
    no_compression,
    fragments,
    fragments_with_pings,
    pings,
    keepalive,
    largest,
    binary,
    close_codes,
    wrong_path,
    many_messages,
    many_clients,
]


def main():
    report = Report("websockets", "websocket client, also TLS")
    for tls in [False, True]:
        for case in CASES:
            name = case.__name__ + (" with TLS" if tls else "")
            report.run(name, lambda: asyncio.run(asyncio.wait_for(case(tls), 3 * SECONDS)))
    report.finish()


if __name__ == "__main__":
    main()
