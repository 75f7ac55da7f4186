"""wrk as a client that asks as fast as it can: every answer is a success, and no connection breaks."""

import os
import re
import subprocess

from report import Report

SECONDS = 2
PLAIN = f"http://127.0.0.1:{os.environ['PEERS_PORT']}"
SECURE = f"https://localhost:{os.environ['PEERS_TLS_PORT']}"
CASES = [
    ("/hello.txt", 20, []),
    ("/large.txt", 20, []),
    ("/metrics", 20, []),
    ("/rest", 20, []),
    ("/hello.txt", 10, ["-H", "Connection: close"]),
]


def load(url, connections, options):
    command = ["wrk", "-t", "1", "-c", str(connections), "-d", str(SECONDS), "--timeout", "10", *options, url]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    text = done.stdout.decode()
    assert "Socket errors" not in text and "Non-2xx" not in text, text
    requests = int(re.search(r"(\d+) requests in", text)[1])
    assert requests > connections, text


def main():
    report = Report("wrk", "many requests, also TLS")
    for base in [PLAIN, SECURE]:
        for path, connections, options in CASES:
            report.run(f"{base}{path} {options}", lambda: load(base + path, connections, options))
    report.finish()


if __name__ == "__main__":
    main()
