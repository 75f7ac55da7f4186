#!/usr/bin/env python3
"""A client in Python: logs in with ws1, sends an event if one is given, prints those that come.

Needs the packages websockets and cryptography (Debian: python3-websockets, python3-cryptography).
    ./client.py ["96,30,5,,,,-,0,1,2"]      # turn on zone 1, subzone 2
The environment says where and who: VSCP_URL, VSCP_USER, VSCP_PASSWORD, VSCP_KEY (hex).
"""

import asyncio
import os
import sys

import websockets
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

URL = os.environ.get("VSCP_URL", "ws://localhost:8884")
USER = os.environ.get("VSCP_USER", "admin")
PASSWORD = os.environ.get("VSCP_PASSWORD", "secret")
KEY = bytes.fromhex(os.environ.get("VSCP_KEY", "2DBB079A38985AF00EBEEFE22F9FFA0E"))


def login(sid: str) -> str:
    """AES-128-CBC of user:password, filled up with zeros; the session id is the first vector."""
    plain = f"{USER}:{PASSWORD}".encode()
    plain += bytes(-len(plain) % 16)
    aes = Cipher(algorithms.AES(KEY), modes.CBC(bytes.fromhex(sid))).encryptor()
    return f"C;AUTH;{sid};{(aes.update(plain) + aes.finalize()).hex()}"


async def reply(socket) -> list[str]:
    """The fields of the next reply, '+;..' or '-;..'. Events that come before it are printed."""
    while True:
        message = await socket.recv()
        sign, _, rest = message.partition(";")
        if sign == "+":
            return rest.split(";")
        if sign == "-":
            sys.exit(f"refused: {rest}")
        print(rest, flush=True)


async def main() -> None:
    async with websockets.connect(f"{URL}/ws1") as socket:
        _, sid = await reply(socket)
        for request in [login(sid), "C;OPEN", *(f"E;{event}" for event in sys.argv[1:])]:
            await socket.send(request)
            await reply(socket)
        async for message in socket:
            print(message.removeprefix("E;"), flush=True)


try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
except (OSError, websockets.WebSocketException) as error:
    sys.exit(f"{URL}: {error}")
