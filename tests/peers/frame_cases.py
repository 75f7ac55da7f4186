"""The websocket cases: what is sent behind the handshake, and what RFC 6455 demands of the server.

They follow the sections of the Autobahn test suite. The server is one for ws1 that takes messages of
up to LIMIT bytes: `C;NOOP;..` is answered with `+;NOOP`, so that its text may be anything.
"""

import struct

from frames import BINARY, CLOSE, CONTINUATION, FIN, LIMIT, MASK, PING, PONG, TEXT
from frames import Case, code, frame, noop, sized
from utf8_cases import utf8


def cases():
    yield from framing()
    yield from pings()
    yield from reserved_bits()
    yield from opcodes()
    yield from fragmentation()
    yield from utf8()
    yield from closes()
    yield from limits()
    yield from masks()
    yield from lengths()


def framing():
    for length in [7, 125, 126, 127, 128, 65535, 65536, LIMIT]:
        yield Case(f"1 text of {length}", frame(TEXT, sized(length)), replies=1)
    yield Case("1 text in octets of 997", frame(TEXT, sized(65536)), replies=1, piece=997)
    yield Case("1 text byte by byte", frame(TEXT, sized(126)), replies=1, piece=1)
    yield Case("1 empty text", frame(TEXT), replies=1)
    for length in [0, 1, 125, 126, 65535, 65536]:
        yield Case(f"1 binary of {length}", frame(BINARY, b"\xfe" * length), close={1003})
    yield Case("1 many at once", frame(TEXT, noop()) * 500, replies=500)


def pings():
    for payload in [b"", b"hello", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125]:
        yield Case(f"2 ping of {len(payload)}", frame(PING, payload), pongs=[payload])
    yield Case("2 ping of 125 in octets", frame(PING, b"\xfe" * 125), pongs=[b"\xfe" * 125], piece=1)
    yield Case("2 ping of 126", frame(PING, b"\xfe" * 126), close={1002})
    yield Case("2 ping of 65536", frame(PING, b"\xfe" * 65536), close={1002})
    yield Case("2 pong that nobody asked for", frame(PONG) + frame(PONG, b"x"))
    yield Case("2 pong of 126", frame(PONG, b"\xfe" * 126), close={1002})
    ten = [b"payload-%d" % number for number in range(10)]
    pings = b"".join(frame(PING, payload) for payload in ten)
    yield Case("2 ten pings", pings, pongs=ten)
    yield Case("2 ten pings in octets", pings, pongs=ten, piece=1)
    yield Case("2 pong, then ping", frame(PONG, b"a") + frame(PING, b"b"), pongs=[b"b"])


def reserved_bits():
    for rsv in range(1, 8):
        for name, opcode in [("text", TEXT), ("binary", BINARY), ("ping", PING), ("close", CLOSE)]:
            yield Case(f"3 {name} with rsv {rsv}", frame(opcode, b"", rsv=rsv), close={1002})
        sent = frame(TEXT, noop()) + frame(TEXT, noop(), rsv=rsv)
        yield Case(f"3 text, then one with rsv {rsv}", sent, replies=1, close={1002})
    sent = frame(TEXT, b"C;", fin=False) + frame(CONTINUATION, b"NOOP", rsv=4)
    yield Case("3 continuation with rsv 4", sent, close={1002})


def opcodes():
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]:
        yield Case(f"4 opcode {opcode}", frame(opcode), close={1002})
        yield Case(f"4 opcode {opcode} with data", frame(opcode, b"data"), close={1002})
        sent = frame(TEXT, noop()) + frame(opcode, b"data") + frame(PING)
        yield Case(f"4 text, then opcode {opcode}", sent, replies=1, close={1002})
        sent = frame(TEXT, b"C;", fin=False) + frame(opcode, b"data")
        yield Case(f"4 opcode {opcode} in a message", sent, close={1002})


def fragmentation():
    for opcode, name in [(PING, "ping"), (PONG, "pong"), (CLOSE, "close")]:
        sent = frame(opcode, b"", fin=False) + frame(CONTINUATION)
        yield Case(f"5 {name} in fragments", sent, close={1002})
    for piece in [0, 1]:
        def pieces(*between):
            return b"".join(
                [frame(TEXT, b"C;NO", fin=False), *between, frame(CONTINUATION, b"OP")]
            )

        yield Case("5 text in two", pieces(), replies=1, piece=piece)
        sent = pieces(frame(PING, b"a"))
        yield Case("5 a ping between", sent, replies=1, pongs=[b"a"], piece=piece)
        sent = pieces(
            frame(PING, b"a"),
            frame(CONTINUATION, b"", fin=False),
            frame(PONG, b"x"),
            frame(PING, b"b"),
        )
        yield Case("5 pings between three", sent, replies=1, pongs=[b"a", b"b"], piece=piece)
    many = b"".join(frame(CONTINUATION, b"*", fin=False) for _ in range(1000))
    sent = frame(TEXT, noop(), fin=False) + many + frame(CONTINUATION)
    yield Case("5 text in a thousand", sent, replies=1)
    empty = frame(TEXT, b"", fin=False) + frame(CONTINUATION, b"", fin=False)
    yield Case("5 text in empty ones", empty + frame(CONTINUATION, noop()), replies=1)
    yield Case("5 all of them empty", empty + frame(CONTINUATION), replies=1)
    yield Case("5 two messages in fragments", (empty + frame(CONTINUATION, noop())) * 2, replies=2)
    for fin in [True, False]:
        yield Case(f"5 continuation of nothing {fin}", frame(CONTINUATION, b"x", fin), close={1002})
        sent = frame(TEXT, noop()) + frame(CONTINUATION, b"x", fin)
        yield Case(f"5 continuation behind the end {fin}", sent, replies=1, close={1002})
        sent = frame(TEXT, b"C;", fin=False) + frame(TEXT, noop(), fin)
        yield Case(f"5 text within a text {fin}", sent, close={1002})
        sent = frame(TEXT, b"C;", fin=False) + frame(BINARY, b"x", fin)
        yield Case(f"5 binary within a text {fin}", sent, close={1002})
    sent = frame(TEXT, b"C;", fin=False) + frame(CLOSE, code(1000))
    yield Case("5 close within a text", sent, close={1000})
    sent = frame(BINARY, b"x", fin=False) + frame(CONTINUATION, b"x")
    yield Case("5 binary in fragments", sent, close={1003})


def closes():
    yield Case("7 close without a code", frame(CLOSE), close=None)
    yield Case("7 close of one byte", frame(CLOSE, b"\x03"), close={1002})
    for number in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013]:
        yield Case(f"7 code {number}", frame(CLOSE, code(number)), close={number})
    # It was registered after RFC 6455, so that a server may not know it.
    yield Case("7 code 1014", frame(CLOSE, code(1014)), close={1014, 1002})
    for number in [3000, 3999, 4000, 4999]:
        yield Case(f"7 code {number}", frame(CLOSE, code(number)), close={number})
    for number in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]:
        yield Case(f"7 code {number}", frame(CLOSE, code(number)), close={1002})
    yield Case("7 reason", frame(CLOSE, code(1000, "grüße".encode())), close={1000})
    yield Case("7 reason of 123", frame(CLOSE, code(1000, b"*" * 123)), close={1000})
    yield Case("7 reason of 124", frame(CLOSE, code(1000, b"*" * 124)), close={1002})
    for wrong in [b"\xff", b"\xce\xba\xed\xa0\x80", b"\xc3"]:
        yield Case(f"7 reason {wrong}", frame(CLOSE, code(1000, wrong)), close={1002, 1007})
    for behind, what in [
        (frame(TEXT, noop()), "text"),
        (frame(PING, b"x"), "ping"),
        (frame(CLOSE, code(1001)), "close"),
        (b"\xff" * 10, "nonsense"),
    ]:
        yield Case(f"7 {what} behind a close", frame(CLOSE, code(1000)) + behind, close={1000})
    sent = frame(TEXT, noop()) + frame(PING, b"x") + frame(CLOSE, code(1000))
    yield Case("7 text, ping, close", sent, replies=1, pongs=[b"x"], close={1000})


def limits():
    yield Case("9 one byte too much", frame(TEXT, sized(LIMIT + 1)), close={1009})
    head = struct.pack(">BBQ", FIN | TEXT, 0xFF, 1 << 40) + MASK
    yield Case("9 far too much is refused by its head", head, close={1009})
    for size in [64, 256, 1024, 16384]:
        payload = sized(LIMIT)
        parts = [payload[at : at + size] for at in range(0, LIMIT, size)]
        sent = frame(TEXT, parts[0], fin=False)
        sent += b"".join(frame(CONTINUATION, part, fin=False) for part in parts[1:])
        yield Case(f"9 in fragments of {size}", sent + frame(CONTINUATION), replies=1)
        yield Case(f"9 too much in fragments of {size}", sent + frame(CONTINUATION, "*"), close={1009})
    for piece in [64, 1024, 65536]:
        yield Case(f"9 in pieces of {piece}", frame(TEXT, sized(LIMIT)), replies=1, piece=piece)


def masks():
    for mask in [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x00\x00\x80"]:
        yield Case(f"10 mask {mask.hex()}", frame(TEXT, noop("ä"), mask=mask), replies=1)
    for name, opcode, payload in [
        ("text", TEXT, noop()),
        ("ping", PING, b"x"),
        ("close", CLOSE, code(1000)),
        ("empty text", TEXT, b""),
    ]:
        yield Case(f"10 {name} without a mask", frame(opcode, payload, mask=None), close={1002})


def lengths():
    """Lengths with more bytes than they need, which a server may take, or with their highest bit set (section 5.2)."""
    payload = noop()
    masked = frame(TEXT, payload, mask=b"\0\0\0\0")[2:]
    for name, head in [
        ("16 bits", struct.pack(">BBH", FIN | TEXT, 0x80 | 126, len(payload))),
        ("64 bits", struct.pack(">BBQ", FIN | TEXT, 0x80 | 127, len(payload))),
    ]:
        yield Case(f"11 short text with a length of {name}", head + masked, replies=1)
    head = struct.pack(">BBQ", FIN | TEXT, 0x80 | 127, 1 << 63) + MASK
    yield Case("11 length with the highest bit", head, close={1002, 1009})
