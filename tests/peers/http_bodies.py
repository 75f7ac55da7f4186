"""Bodies and heads, among them requests of which another server might read the end elsewhere: a second
request hides in them."""

import h11

from http_client import CHUNKED, FILE, HOST, SMUGGLED, Client, Closed, refused, same


# Bodies


def chunked_bodies():
    for body in [
        "b\r\nformat=json\r\n0\r\n\r\n",
        "B\r\nformat=json\r\n0\r\n\r\n",
        "0000000b\r\nformat=json\r\n000\r\n\r\n",
        "".join(f"1\r\n{byte}\r\n" for byte in "format=json") + "0\r\n\r\n",
        "b;name=value\r\nformat=json\r\n0;last\r\n\r\n",
        'b;name="quoted"\r\nformat=json\r\n0\r\n\r\n',
        "b\r\nformat=json\r\n0\r\nTrailer: value\r\n\r\n",
    ]:
        client = Client()
        client.send(f"POST /rest HTTP/1.1\r\n{HOST}{CHUNKED}\r\n{body}")
        status, headers, _, _ = client.response("POST")
        same((body, status, headers["content-type"]), (body, 200, "application/json"))
        client.stays_open()


def expectations():
    client = Client()
    head = f"POST /rest HTTP/1.1\r\n{HOST}Expect: 100-continue\r\nContent-Length: 11\r\n\r\n"
    client.send(head)
    # The body only follows the 100.
    data = client.receive()
    assert data.startswith(b"HTTP/1.1 100 "), data
    client.send("format=json")
    same(client.response("POST")[0], 200)
    client.stays_open()

    for length, path, status in [(10**9, "/rest", 413), (11, "/hello.txt", 405)]:
        client = Client()
        head = f"POST {path} HTTP/1.1\r\n{HOST}Expect: 100-continue\r\n"
        client.send(f"{head}Content-Length: {length}\r\n\r\n")
        found, _, _, informational = client.response("POST")
        same((path, found, informational), (path, status, []))

    client = Client()
    client.send(f"POST /rest HTTP/1.0\r\n{HOST}Expect: 100-continue\r\nContent-Length: 11\r\n\r\n")
    client.send("format=json")
    status, _, _, informational = client.response("POST")
    same((status, informational), (200, []))


def bodies_that_nobody_reads():
    for head, body in [
        ("GET /hello.txt", "x" * 10),
        ("POST /nothing", "x" * 100_000),
        ("PUT /rest", "x" * 10),
    ]:
        client = Client()
        client.send(f"{head} HTTP/1.1\r\n{HOST}Content-Length: {len(body)}\r\n\r\n{body}{SMUGGLED}")
        client.response()
        try:
            status, headers, _, _ = client.response()
        except (Closed, h11.RemoteProtocolError):
            continue
        # If a second request is answered then it is the one behind the body.
        same((status, headers["content-type"][:10]), (200, "text/plain"))


def too_large():
    client = Client()
    client.send(f"POST /rest HTTP/1.1\r\n{HOST}Content-Length: 100001\r\n\r\n")
    same(client.response("POST")[0], 413)
    client = Client()
    client.send(f"POST /rest HTTP/1.1\r\n{HOST}{CHUNKED}\r\n")
    for _ in range(11):
        client.send("2710\r\n" + "x" * 10_000 + "\r\n")
    same(client.response("POST")[0], 413)


def large_heads():
    for headers, statuses in [
        ("X: " + "x" * 10_000 + "\r\n", [200]),
        ("X: " + "x" * 20_000 + "\r\n", [431]),
        ("X: x\r\n" * 90, [200]),
        ("X: x\r\n" * 150, [431]),
        ("X" * 20_000 + ": x\r\n", [431]),
    ]:
        client = Client()
        client.send(f"GET /hello.txt HTTP/1.1\r\n{HOST}{headers}\r\n")
        found = client.response()[0]
        assert found in statuses, f"{headers[:20]} ({len(headers)}): {found}, expected {statuses}"
    client = Client()
    client.send(f"GET /{'x' * 20_000} HTTP/1.1\r\n{HOST}\r\n")
    found = client.response()[0]
    assert found in [414, 431], f"a long target: {found}"


# Requests of which another server might read the end elsewhere: a second one hides in them


def smuggled_lengths():
    body = f"0\r\n\r\n{SMUGGLED}"
    for headers in [
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: 3, 4\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: -3\r\n",
        "Content-Length: 0x3\r\n",
        "Content-Length: 3 3\r\n",
        "Content-Length: three\r\n",
        "Content-Length: \r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Content-Length : 3\r\n",
        "Content-Length\r\n",
        "Content-Length: 3\r\n Content-Length: 4\r\n",
        " Content-Length: 3\r\n",
        "Content-Length: 3\x00\r\n",
        "Content-Length: 3\r\r\n",
        "Content\x00-Length: 3\r\n",
    ]:
        client = Client()
        client.send(f"POST /rest HTTP/1.1\r\n{HOST}{headers}\r\n{body}")
        refused(client, headers)


def smuggled_encodings():
    body = f"0\r\n\r\n{SMUGGLED}"
    for headers in [
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunkedx\r\n",
        "Transfer-Encoding: chunked;a=b\r\n",
        'Transfer-Encoding: "chunked"\r\n',
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: \x0bchunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ]:
        client = Client()
        client.send(f"POST /rest HTTP/1.1\r\n{HOST}{headers}\r\n{body}")
        refused(client, headers)
    client = Client()
    client.send(f"POST /rest HTTP/1.0\r\n{HOST}{CHUNKED}\r\n{body}")
    refused(client, "chunked in HTTP/1.0")


def both_lengths():
    """RFC 9112 section 6.1: refused, or answered by the chunks and then closed."""
    for headers in [
        f"Content-Length: 3\r\n{CHUNKED}",
        f"{CHUNKED}Content-Length: 3\r\n",
        f"{CHUNKED}Content-Length: 300\r\n",
    ]:
        client = Client()
        client.send(f"POST /rest HTTP/1.1\r\n{HOST}{headers}\r\n0\r\n\r\n{SMUGGLED}")
        status = client.response("POST")[0]
        assert status in [200, 400], f"{headers!r}: {status}"
        assert client.is_closed()


def same_length_twice():
    """Refused, or taken once (RFC 9110 section 8.6)."""
    for headers in ["Content-Length: 11\r\nContent-Length: 11\r\n", "Content-Length: 11, 11\r\n"]:
        client = Client()
        client.send(f"POST /rest HTTP/1.1\r\n{HOST}{headers}\r\nformat=json{FILE}")
        status = client.response("POST")[0]
        if status == 400:
            assert client.is_closed()
        else:
            same((status, client.response()[2]), (200, b"hello\n"))


def chunked_twice():
    for headers in [CHUNKED * 2, "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n"]:
        client = Client()
        client.send(f"POST /rest HTTP/1.1\r\n{HOST}{headers}\r\n0\r\n\r\n{SMUGGLED}")
        refused(client, headers)


def bad_chunks():
    for body in [
        "x\r\n",
        "-1\r\n",
        "+b\r\nformat=json\r\n0\r\n\r\n",
        "0xb\r\nformat=json\r\n0\r\n\r\n",
        "b b\r\nformat=json\r\n0\r\n\r\n",
        "\r\nformat=json\r\n0\r\n\r\n",
        "10000000000000000b\r\nformat=json\r\n0\r\n\r\n",
        "b\r\nformat=jsonx\r\n0\r\n\r\n",
        "b\r\nformat=json0\r\n\r\n",
        "b\nformat=json\r\n0\r\n\r\n",
        "b\rformat=json\r\n0\r\n\r\n",
        "b\r\nformat=json\n0\r\n\r\n",
        "b;a\nb\r\nformat=json\r\n0\r\n\r\n",
        "b;" + "x" * 20_000 + "\r\nformat=json\r\n0\r\n\r\n",
    ]:
        client = Client()
        client.send(f"POST /rest HTTP/1.1\r\n{HOST}{CHUNKED}\r\n{body}{SMUGGLED}")
        refused(client, body[:40])


def header_lines():
    for line in [
        "X Y: z",
        "X\x01: z",
        ": z",
        "X: \x00",
        "X: a\rb",
        "X",
        "X: a\r\n folded",
        "X: a\r\n\tfolded",
        "(X): z",
        "X\xe4: z",
    ]:
        client = Client()
        client.send(f"GET /hello.txt HTTP/1.1\r\n{HOST}{line}\r\n\r\n{SMUGGLED}")
        refused(client, line)
    for line in ["X:z", "X: \t z \t ", "X: \xe4\xff", "X:", "x-Y_z!: 1"]:
        client = Client()
        client.send(f"GET /hello.txt HTTP/1.1\r\n{HOST}{line}\r\n\r\n")
        status = client.response()[0]
        assert status == 200, f"{line!r}: {status}"
