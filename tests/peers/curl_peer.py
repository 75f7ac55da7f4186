"""curl as a client of files and REST, over TCP and TLS."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from report import Report

SECONDS = 20
WWW = Path(os.environ["PEERS_WWW"])
PLAIN = f"http://127.0.0.1:{os.environ['PEERS_PORT']}"
SECURE = f"https://localhost:{os.environ['PEERS_TLS_PORT']}"
WRITE = "\n%{http_code} %{http_version} %{num_connects} %{size_download}\n"


class Answer:
    def __init__(self, text, head):
        self.body, self.status, self.version, self.connects, self.size = text
        self.head = head


def curl(base, path, *options):
    """Returns the answer of a request that curl takes for a success."""
    command = ["curl", "-sS", "--ipv4", "--cacert", os.environ["PEERS_CA"], "--path-as-is", "-D", "-"]
    command += ["-w", WRITE, "--max-time", str(SECONDS), *options, base + path]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 0, f"curl has ended with {done.returncode}: {done.stderr.decode()}"
    text, _, numbers = done.stdout.decode("latin-1").rstrip("\n").rpartition("\n")
    head, _, body = text.rpartition("\r\n\r\n")
    status, version, connects, size = numbers.split()
    return Answer((body, int(status), version, int(connects), int(size)), head.lower())


def same(found, expected):
    assert found == expected, f"{found!r}, expected {expected!r}"


def gets(base):
    answer = curl(base, "/hello.txt")
    same((answer.status, answer.body, answer.version), (200, "hello\n", "1.1"))
    assert "content-length: 6" in answer.head, answer.head


def old_http(base):
    # Else curl offers the protocol http/1.0 in TLS, which is refused as RFC 7301 wants it.
    same(curl(base, "/hello.txt", "--http1.0", "--no-alpn").body, "hello\n")


def newer_http_is_not_there(base):
    for option in ["--http2", "--http1.1"]:
        answer = curl(base, "/hello.txt", option)
        same((answer.status, answer.version), (200, "1.1"))


def heads(base):
    answer = curl(base, "/large.txt", "-I")
    same((answer.status, answer.size), (200, 0))
    assert "content-length: 320000" in answer.head, answer.head


def parts(base):
    for wanted, status, body in [
        ("0-0", 206, "h"),
        ("1-3", 206, "ell"),
        ("-3", 206, "lo\n"),
        ("2-", 206, "llo\n"),
        ("0-99", 206, "hello\n"),
    ]:
        answer = curl(base, "/hello.txt", "-r", wanted)
        same((wanted, answer.status, answer.body), (wanted, status, body))
    same(curl(base, "/hello.txt", "-r", "6-").status, 416)


def broken_downloads_go_on(base):
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder, "part")
        whole = (WWW / "large.txt").read_bytes()
        part.write_bytes(whole[:123_456])
        same(curl(base, "/large.txt", "-C", "-", "-o", str(part)).status, 206)
        assert part.read_bytes() == whole


def slow_downloads(base):
    answer = curl(base, "/large.txt", "--limit-rate", "400K", "-o", "/dev/null")
    same((answer.status, answer.size), (200, 320_000))


def conditions(base):
    with tempfile.TemporaryDirectory() as folder:
        same(curl(base, "/hello.txt", "-z", str(WWW / "hello.txt")).status, 304)
        same(curl(base, "/hello.txt", "-z", "1 Jan 2001").status, 200)
        same(curl(base, "/hello.txt", "-z", "-1 Jan 2001").status, 412)
        etag = Path(folder, "etag")
        same(curl(base, "/hello.txt", "--etag-save", str(etag)).status, 200)
        if etag.exists() and etag.stat().st_size:
            same(curl(base, "/hello.txt", "--etag-compare", str(etag)).status, 304)


def encodings(base):
    answer = curl(base, "/large.txt", "--compressed", "-o", "/dev/null")
    same(answer.status, 200)


def connections_are_kept(base):
    command = ["-o", "/dev/null"]
    for path in ["/nothing", "/metrics", "/large.txt", "/rest"]:
        command += [base + path, "-o", "/dev/null"]
    done = subprocess.run(
        ["curl", "-sS", "--ipv4", "--cacert", os.environ["PEERS_CA"], "-w", "%{num_connects} ", *command, base + "/hello.txt"],
        stdout=subprocess.PIPE, check=True, timeout=SECONDS,
    )
    same(done.stdout.split(), [b"1", b"0", b"0", b"0", b"0"])


def paths(base):
    for path, status in [
        ("/../../etc/passwd", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/..%2f..%2fetc/passwd", 404),
        ("/hello.txt/", 404),
        ("/hello.txt%00.html", 404),
        ("//etc/passwd", 404),
        ("/hello.txt?../../etc/passwd", 200),
    ]:
        answer = curl(base, path)
        same((path, answer.status), (path, status))
        assert "root:" not in answer.body


def uploads(base):
    large = str(WWW / "large.txt")
    for options, status in [
        (["-T", large], 405),
        (["-T", large, "-H", "Expect:"], 405),
        (["-T", large, "-H", "Transfer-Encoding: chunked"], 405),
        (["-X", "DELETE"], 405),
    ]:
        same((options, curl(base, "/hello.txt", *options).status), (options, status))
    same(curl(base, "/rest", "--data-binary", f"@{large}").status, 413)
    same(curl(base, "/rest", "--data-binary", f"@{large}", "-H", "Transfer-Encoding: chunked").status, 413)
    assert (WWW / "large.txt").stat().st_size == 320_000


def rest(base):
    login = ["-d", "vscpuser=admin", "-d", "vscpsecret=secret", "-d", "format=json"]
    event = "0,20,3,0,,,-,1,2,3"
    for options in [
        [*login, "-d", "op=sendevent", "--data-urlencode", f"vscpevent={event}"],
        ["-G", *login, "-d", "op=sendevent", "--data-urlencode", f"vscpevent={event}"],
        [*login, "-d", "op=sendevent", "-d", f"vscpevent={event}", "-H", "Transfer-Encoding: chunked"],
        [*login, "-d", "op=sendevent", "-d", f"vscpevent={event}", "-H", "Expect: 100-continue"],
    ]:
        answer = curl(base, "/rest", *options)
        same((options, answer.status, json.loads(answer.body)["success"]), (options, 200, True))


def websockets(base):
    """The handshake alone: curl shows the answer, and what comes behind it."""
    command = ["curl", "-sS", "--ipv4", "--cacert", os.environ["PEERS_CA"], "-i", "-N", "--max-time", "3"]
    for header in [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]:
        command += ["-H", header]
    done = subprocess.run([*command, base + "/ws1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    # It waits for more until its time is over.
    same(done.returncode, 28)
    assert done.stdout.startswith(b"HTTP/1.1 101 "), done.stdout
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in done.stdout and b"+;AUTH0;" in done.stdout, done.stdout


CASES = [
    gets,
    old_http,
    newer_http_is_not_there,
    heads,
    parts,
    broken_downloads_go_on,
    slow_downloads,
    conditions,
    encodings,
    connections_are_kept,
    paths,
    uploads,
    rest,
    websockets,
]


def main():
    report = Report("curl", "files and REST, also TLS")
    for base in [PLAIN, SECURE]:
        for case in CASES:
            report.run(f"{case.__name__} at {base}", lambda: case(base))
    report.finish()


if __name__ == "__main__":
    main()
