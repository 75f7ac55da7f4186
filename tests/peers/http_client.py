"""A client that sends raw bytes and reads what comes back with h11.

The server has the files hello.txt ("hello\n") and large.txt, REST at /rest and the page /metrics.
"""

import os
import socket

import h11

SECONDS = 20
HOST = "Host: localhost\r\n"
FILE = f"GET /hello.txt HTTP/1.1\r\n{HOST}\r\n"
SMUGGLED = f"GET /metrics HTTP/1.1\r\n{HOST}\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"


class Closed(Exception):
    """The connection has ended instead of a response."""


class Client:
    def __init__(self):
        address = ("127.0.0.1", int(os.environ["PEERS_PORT"]))
        self.stream = socket.create_connection(address, timeout=SECONDS)
        self.reader = None

    def send(self, data):
        data = data if isinstance(data, bytes) else data.encode("latin-1")
        try:
            self.stream.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server has answered and closed already

    def response(self, method="GET"):
        """Returns status, headers, body and the informational statuses of the next response."""
        if self.reader is None:
            self.reader = h11.Connection(h11.CLIENT)
        elif self.reader.their_state is h11.DONE:
            self.reader.start_next_cycle()
        # h11 has to know what was asked; what was really sent is not its business.
        self.reader.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        self.reader.send(h11.EndOfMessage())
        informational, body, response = [], b"", None
        while True:
            event = self.reader.next_event()
            if event is h11.NEED_DATA:
                self.reader.receive_data(self.receive())
            elif isinstance(event, h11.InformationalResponse):
                informational.append(event.status_code)
            elif isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                headers = {name.decode(): value.decode() for name, value in response.headers}
                return response.status_code, headers, body, informational
            elif isinstance(event, h11.ConnectionClosed):
                raise Closed
            else:
                raise AssertionError(f"{event}")

    def receive(self):
        try:
            return self.stream.recv(65536)
        except ConnectionResetError:
            return b""

    def is_closed(self):
        """Waits for the end of the connection, which must come without another byte."""
        if self.reader is not None:
            data, _ = self.reader.trailing_data
            assert not data, f"behind the response: {data[:60]}"
        data = self.receive()
        assert not data, f"behind the response: {data[:60]}"
        return True

    def stays_open(self):
        self.send(FILE)
        status, _, body, _ = self.response()
        assert (status, body) == (200, b"hello\n"), (status, body)


def same(found, expected):
    assert found == expected, f"{found}, expected {expected}"


def refused(client, name):
    """Expects an answer 400 at the most, and then the end."""
    try:
        status = client.response()[0]
    except Closed:
        return
    except h11.RemoteProtocolError as error:
        # h11 says so of a connection that ends before a response.
        assert "without sending complete message body" not in str(error), error
        return
    assert status in [400, 501, 505], f"{name!r}: {status}"
    assert client.is_closed()
