"""Texts that are UTF-8, and some that are not, whole and in pieces."""

from frames import CONTINUATION, TEXT, Case, frame, noop

VALID_UTF8 = [
    "Hello-µ@ßöäüàá-UTF-8!!",
    "κόσμε",
    "\x00",
    "\x7f",
    "\x80",
    "߿",
    "ࠀ",
    "\ud7ff",
    "\ue000",
    "�",
    "\ufffe",
    "\uffff",
    "\U00010000",
    "\U0001ffff",
    "\U0010fffe",
    "\U0010ffff",
]

# From Markus Kuhn's UTF-8 decoder stress test.
INVALID_UTF8 = [
    b"\x80",
    b"\xbf",
    b"\x80\xbf\x80\xbf",
    b"\xc0 \xc1 \xff ",
    b"\xe0 \xef ",
    b"\xf0 \xf7 ",
    b"\xf8 \xfb ",
    b"\xfc \xfd ",
    b"\xc0",
    b"\xe0\x80",
    b"\xf0\x80\x80",
    b"\xf8\x80\x80\x80",
    b"\xfc\x80\x80\x80\x80",
    b"\xdf",
    b"\xef\xbf",
    b"\xf7\xbf\xbf",
    b"\xfe",
    b"\xff",
    b"\xfe\xfe\xff\xff",
    b"\xc0\xaf",
    b"\xe0\x80\xaf",
    b"\xf0\x80\x80\xaf",
    b"\xf8\x80\x80\x80\xaf",
    b"\xfc\x80\x80\x80\x80\xaf",
    b"\xc1\xbf",
    b"\xe0\x9f\xbf",
    b"\xf0\x8f\xbf\xbf",
    b"\xc0\x80",
    b"\xe0\x80\x80",
    b"\xed\xa0\x80",
    b"\xed\xad\xbf",
    b"\xed\xae\x80",
    b"\xed\xbf\xbf",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xf4\x90\x80\x80",
    b"\xf7\xbf\xbf\xbf",
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
]


def utf8():
    for text in VALID_UTF8:
        payload = noop(text)
        yield Case(f"6 {text!a}", frame(TEXT, payload), replies=1)
        for cut in range(len(noop()) + 1, len(payload)):
            sent = frame(TEXT, payload[:cut], fin=False) + frame(CONTINUATION, payload[cut:])
            yield Case(f"6 {text!a} cut at {cut}", sent, replies=1)
        yield Case(f"6 {text!a} in octets", frame(TEXT, payload), replies=1, piece=1)
    for wrong in INVALID_UTF8:
        payload = noop(wrong)
        yield Case(f"6 {wrong}", frame(TEXT, payload), close={1007})
        yield Case(f"6 {wrong} in octets", frame(TEXT, payload), close={1007}, piece=1)
        for cut in range(len(noop()), len(payload)):
            sent = frame(TEXT, payload[:cut], fin=False) + frame(CONTINUATION, payload[cut:])
            yield Case(f"6 {wrong} cut at {cut}", sent, close={1007})
