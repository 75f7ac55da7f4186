"""Requests that follow each other, their forms, and connections that end early."""

import socket
import time

from http_client import CHUNKED, FILE, HOST, SECONDS, SMUGGLED, Client, refused, same

# The time in which nothing may come.
SILENCE = 0.3


# Requests that follow each other


def pipelining():
    client = Client()
    requests = [
        (f"GET /hello.txt HTTP/1.1\r\n{HOST}\r\n", "GET", 200),
        (f"HEAD /hello.txt HTTP/1.1\r\n{HOST}\r\n", "HEAD", 200),
        (f"GET /nothing HTTP/1.1\r\n{HOST}\r\n", "GET", 404),
        (f"POST /rest HTTP/1.1\r\n{HOST}Content-Length: 11\r\n\r\nformat=json", "POST", 200),
        (f"POST /rest HTTP/1.1\r\n{HOST}{CHUNKED}\r\nb\r\nformat=json\r\n0\r\n\r\n", "POST", 200),
        (f"DELETE /rest HTTP/1.1\r\n{HOST}\r\n", "DELETE", 405),
        (f"GET /large.txt HTTP/1.1\r\n{HOST}\r\n", "GET", 200),
    ]
    client.send("".join(request for request, _, _ in requests) * 20)
    for _, method, status in requests * 20:
        found, headers, body, _ = client.response(method)
        same(found, status)
        if method == "POST":
            same(headers["content-type"], "application/json")
        if method == "HEAD":
            same((headers["content-length"], body), ("6", b""))
    client.stays_open()


def byte_by_byte():
    client = Client()
    client.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in FILE.encode() * 2:
        client.send(bytes([byte]))
    for _ in range(2):
        same(client.response()[0], 200)
    client.stays_open()


def persistence():
    for version, header, stays in [
        ("1.1", "", True),
        ("1.1", "Connection: keep-alive\r\n", True),
        ("1.1", "Connection: close\r\n", False),
        ("1.1", "Connection: x, Close\r\n", False),
        ("1.0", "", False),
        ("1.0", "Connection: keep-alive\r\n", True),
        ("1.0", "Connection: close\r\n", False),
    ]:
        client = Client()
        client.send(f"GET /hello.txt HTTP/{version}\r\n{HOST}{header}\r\n")
        status, headers, body, _ = client.response()
        same((status, body), (200, b"hello\n"))
        if stays:
            if version == "1.0":
                same(headers.get("connection"), "keep-alive")
                # h11 takes a response to HTTP/1.0 for the last one.
                client.reader = None
            client.stays_open()
        else:
            assert client.is_closed()


def empty_lines_before():
    client = Client()
    client.send("\r\n\r\n" + FILE)
    same(client.response()[0], 200)


# Forms of a request


def targets():
    for target, status in [
        ("/hello.txt", 200),
        ("/hello.txt?query", 200),
        ("/hell%6F.txt", 200),
        ("http://localhost/hello.txt", 200),
        ("http://other:80/hello.txt", 200),
        ("HTTP://localhost/hello.txt", 200),
        ("/nothing", 404),
        ("/%2e%2e/hello.txt", 404),
        ("/%00", 404),
    ]:
        client = Client()
        client.send(f"GET {target} HTTP/1.1\r\n{HOST}\r\n")
        found = client.response()[0]
        assert found == status, f"{target}: {found}, expected {status}"
        client.stays_open()


def hosts():
    for host, status in [
        ("Host: localhost\r\n", 200),
        ("host:localhost:80 \r\n", 200),
        ("Host: [::1]:80\r\n", 200),
        ("Host:\r\n", 200),
        ("", 400),
        ("Host: a\r\nHost: a\r\n", 400),
        ("Host: a b\r\n", 400),
        ("Host: a/b\r\n", 400),
        ("Host: user@a\r\n", 400),
    ]:
        client = Client()
        client.send(f"GET /hello.txt HTTP/1.1\r\n{host}\r\n")
        found = client.response()[0]
        assert found == status, f"{host!r}: {found}, expected {status}"


def head():
    for path, status in [("/hello.txt", 200), ("/metrics", 200), ("/nothing", 404), ("/rest", 405)]:
        client = Client()
        client.send(f"HEAD {path} HTTP/1.1\r\n{HOST}\r\n")
        found, _, body, _ = client.response("HEAD")
        same((path, found, body), (path, status, b""))
        client.stays_open()


def methods():
    for method, path, statuses in [
        ("PUT", "/hello.txt", [405]),
        ("DELETE", "/hello.txt", [405]),
        ("get", "/hello.txt", [405]),
        ("BREW", "/hello.txt", [405]),
        ("TRACE", "/rest", [405]),
        ("OPTIONS", "/rest", [204]),
        ("POST", "/ws1", [426]),
        ("CONNECT", "localhost:80", [400]),
        ("G\x00T", "/", [400]),
        ("G(T", "/", [400]),
    ]:
        client = Client()
        client.send(f"{method} {path} HTTP/1.1\r\n{HOST}Content-Length: 0\r\n\r\n")
        found = client.response()[0]
        assert found in statuses, f"{method} {path}: {found}, expected {statuses}"


def versions():
    for line in [
        "GET /hello.txt HTTP/2.0",
        "GET /hello.txt HTTP/0.9",
        "GET /hello.txt HTTP/1.10",
        "GET /hello.txt HTTP/1.x",
        "GET /hello.txt http/1.1",
        "GET /hello.txt",
        "GET  /hello.txt HTTP/1.1",
        "GET /hello.txt  HTTP/1.1",
        "GET /hello .txt HTTP/1.1",
        "GET\t/hello.txt\tHTTP/1.1",
        "PRI * HTTP/2.0",
        "\x16\x03\x01\x02\x00",
        "",
    ]:
        client = Client()
        client.send(f"{line}\r\n{HOST}\r\n{SMUGGLED}" if line else f":\r\n{HOST}\r\n{SMUGGLED}")
        refused(client, line)


def upgrades_that_are_none():
    for headers in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Upgrade: websocket\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ]:
        client = Client()
        client.send(f"GET /hello.txt HTTP/1.1\r\n{HOST}{headers}\r\n")
        same(client.response()[0], 200)


# Connections that end early


def half_requests():
    for part in ["GET /hel", f"GET /hello.txt HTTP/1.1\r\n{HOST}", "POST /rest HTTP/1.1\r\n"]:
        client = Client()
        client.send(part)
        client.stream.shutdown(socket.SHUT_WR)
        refused(client, part)
    client = Client()
    client.send(f"POST /rest HTTP/1.1\r\n{HOST}Content-Length: 99\r\n\r\nop=")
    client.stream.shutdown(socket.SHUT_WR)
    refused(client, "half a body")
    client = Client()
    client.send(f"POST /rest HTTP/1.1\r\n{HOST}{CHUNKED}\r\nb\r\nformat=json\r\n")
    client.stream.shutdown(socket.SHUT_WR)
    refused(client, "chunks without an end")


def no_answer_before_the_end_of_a_request():
    client = Client()
    client.send(f"GET /hello.txt HTTP/1.1\r\n{HOST}")
    client.stream.settimeout(SILENCE)
    try:
        data = client.stream.recv(1)
    except TimeoutError:
        data = None
    assert data is None, f"half a request is answered: {data}"
    client.stream.settimeout(SECONDS)
    client.send("\r\n")
    same(client.response()[0], 200)


def many_connections():
    clients = [Client() for _ in range(100)]
    start = time.monotonic()
    for client in clients:
        client.send(FILE)
    for client in clients:
        same(client.response()[0], 200)
    assert time.monotonic() - start < SECONDS
