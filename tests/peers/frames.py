"""Frames of RFC 6455 as bytes, right and wrong ones, and what a case of them is."""

import struct

# The longest message that the server takes.
LIMIT = 100_000
FIN = 0x80
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x37\xfa\x21\x3d"


def frame(opcode, payload=b"", fin=True, rsv=0, mask=MASK):
    """Returns a frame; `mask` is None for one without."""
    payload = payload.encode() if isinstance(payload, str) else payload
    first = (FIN if fin else 0) | rsv << 4 | opcode
    bit = 0 if mask is None else 0x80
    length = len(payload)
    if length < 126:
        head = struct.pack(">BB", first, bit | length)
    elif length < 65536:
        head = struct.pack(">BBH", first, bit | 126, length)
    else:
        head = struct.pack(">BBQ", first, bit | 127, length)
    if mask is None:
        return head + payload
    repeated = mask * (length // 4 + 1)
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(repeated[:length], "big")
    return head + mask + masked.to_bytes(length, "big")


def noop(text=""):
    """Returns the payload of a message that is answered."""
    return b"C;NOOP;" + (text.encode() if isinstance(text, str) else text)


def sized(length):
    return noop("*" * (length - len(noop())))


def code(number, reason=b""):
    """Returns the payload of a close frame."""
    return struct.pack(">H", number) + reason


class Case:
    """Bytes to send, in pieces of `piece` bytes if it is not 0, and what is to come back.

    `replies` messages and `pongs` with these payloads come, in any order of the two kinds. `close`
    are the codes of which the server closes with one, None for a close that has none, or () if it
    does not close: then it must still answer, and close with the code that it is sent.
    """

    def __init__(self, name, sent, replies=0, pongs=(), close=(), piece=0):
        self.name = name
        self.sent = sent
        self.replies = replies
        self.pongs = list(pongs)
        self.close = close
        self.piece = piece
