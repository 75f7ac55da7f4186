"""wsproto as the judge: cases that no well-behaved client would send, byte by byte.

What is sent is made by `frame_cases`; the handshake, and every byte that comes back, goes through
wsproto, which takes nothing that breaks RFC 6455.
"""

import os
import socket
import ssl
import sys

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request
from wsproto.frame_protocol import FrameProtocol, Opcode

import frame_cases
import frames
from report import Report

SECONDS = 20


def connect(port, tls):
    stream = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls:
        context = ssl.create_default_context(cafile=os.environ["PEERS_CA"])
        stream = context.wrap_socket(stream, server_hostname="localhost")
    return stream


class Client:
    """A connection behind its handshake."""

    def __init__(self, port, tls):
        self.stream = connect(port, tls)
        handshake = WSConnection(ConnectionType.CLIENT)
        request = Request(host="localhost", target="/ws1", subprotocols=["vscp-std"])
        self.stream.sendall(handshake.send(request))
        head = b""
        # The greeting stays in the socket.
        while not head.endswith(b"\r\n\r\n"):
            byte = self.stream.recv(1)
            assert byte, f"the handshake ended: {head}"
            head += byte
        handshake.receive_data(head)
        accepted = next(handshake.events())
        assert isinstance(accepted, AcceptConnection), accepted
        assert accepted.subprotocol == "vscp-std", accepted
        assert not accepted.extensions, accepted
        self.frames = FrameProtocol(client=True, extensions=[])
        self.ended = False
        assert self.next().payload.startswith("+;AUTH0;")

    def next(self):
        """Returns the next whole message, None at the end of the connection."""
        text = ""
        while True:
            for frame in self.frames.received_frames():
                if frame.opcode is not Opcode.TEXT:
                    return frame
                text += frame.payload
                if frame.message_finished:
                    return frame._replace(payload=text)
            try:
                data = self.stream.recv(65536)
            except (ConnectionResetError, ssl.SSLEOFError):
                data = b""
            if not data:
                return None
            self.frames.receive_bytes(data)

    def send(self, data, piece=0):
        try:
            for at in range(0, len(data), piece or len(data)):
                self.stream.sendall(data[at : at + (piece or len(data))])
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass  # the server has closed already


def run(case, port, tls):
    client = Client(port, tls)
    client.send(case.sent, case.piece)
    replies, pongs = 0, []
    open_end = case.close == ()
    if open_end:
        client.send(frames.frame(frames.PING, b"the last") + frames.frame(frames.CLOSE, frames.code(4321)))
    while True:
        frame = client.next()
        assert frame is not None, "the connection ended without a close"
        if frame.opcode is Opcode.TEXT:
            replies += 1
            known = frame.payload == "+;NOOP" or frame.payload.startswith("-;")
            assert known, f"a reply {frame.payload!r}"
        elif frame.opcode is Opcode.PONG:
            pongs.append(bytes(frame.payload))
        elif frame.opcode is Opcode.CLOSE:
            break
        else:
            raise AssertionError(f"a frame {frame}")
    number = frame.payload[0]
    number = None if number == 1005 else int(number)
    if open_end:
        assert pongs and pongs.pop() == b"the last", f"no answer at the end, {number}"
        assert number == 4321, f"closed with {number}"
    elif case.close is None:
        assert number is None, f"closed with {number}"
    else:
        assert number in case.close, f"closed with {number}, expected {case.close}"
    assert replies == case.replies, f"{replies} replies, expected {case.replies}"
    assert pongs == case.pongs, f"pongs {pongs}, expected {case.pongs}"
    client.send(frames.frame(frames.CLOSE, frames.code(1000)))
    assert client.next() is None, "a frame behind the close"


def main():
    for tls, name in [(False, "websocket cases"), (True, "websocket cases, TLS")]:
        port = int(os.environ["PEERS_TLS_PORT" if tls else "PEERS_PORT"])
        report = Report("wsproto", name)
        for case in frame_cases.cases():
            report.run(case.name, lambda: run(case, port, tls))
        yield report


if __name__ == "__main__":
    status = 0
    for report in main():
        try:
            report.finish()
        except SystemExit as end:
            status |= end.code
    sys.exit(status)
