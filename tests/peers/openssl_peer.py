"""openssl as the judge of TLS: which versions, ciphers, groups and signatures the server takes, and how it
ends what it does not take. The weak ones are those that scanners of servers look for."""

import os
import re
import socket
import subprocess

from report import Report

SECONDS = 20
PORT = int(os.environ["PEERS_TLS_PORT"])
REQUEST = b"GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
AEAD = {
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
}


COMMAND = ["openssl", "s_client", "-connect", f"127.0.0.1:{PORT}", "-CAfile", os.environ["PEERS_CA"]]
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}


def s_client(*options):
    """Returns what openssl prints; the response is in it if the server has given one."""
    command = [*COMMAND, "-verify_return_error", "-ign_eof", *options]
    done = subprocess.run(command, input=REQUEST, **PIPES, timeout=SECONDS, check=False)
    return done.stdout.decode("latin-1")


def is_served(text):
    return "HTTP/1.1 200 OK" in text and text.rstrip().endswith(("hello", "closed", "eof"))


def taken(name, *options):
    text = s_client(*options)
    assert is_served(text), f"{name} is refused: {text[-300:]}"
    return text


def refused(name, *options):
    text = s_client(*options)
    assert "HTTP/1.1" not in text, f"{name} is taken"
    # It must be the server that refuses, and by an alert.
    assert re.search(r"alert (handshake failure|protocol version|illegal parameter)", text), f"{name}: {text[-300:]}"


def names(*command):
    """Returns the names that openssl lists, whatever it has switched off for itself."""
    done = subprocess.run(["openssl", *command], stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().strip().split(":")


def versions():
    for version in ["-tls1_2", "-tls1_3"]:
        text = taken(version, version)
        assert "Verify return code: 0 (ok)" in text, text
    for version in ["-tls1", "-tls1_1"]:
        refused(version, version, "-cipher", "ALL:@SECLEVEL=0")


def ciphers_of_tls_1_2():
    every = names("ciphers", "-s", "-tls1_2", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    assert len(every) > 50, every
    for cipher in every:
        options = ["-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0"]
        if cipher in AEAD:
            assert f"Cipher is {cipher}" in taken(cipher, *options)
        else:
            refused(cipher, *options)


def ciphers_of_tls_1_3():
    for cipher in ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]:
        assert f"Cipher is {cipher}" in taken(cipher, "-tls1_3", "-ciphersuites", cipher)
    for cipher in ["TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"]:
        refused(cipher, "-tls1_3", "-ciphersuites", cipher)


def groups():
    for group in ["X25519", "P-256", "P-384"]:
        # In TLS 1.2 the curve of the certificate must be among them.
        for options in [["-tls1_2", "-groups", group if group == "P-256" else f"{group}:P-256"], ["-tls1_3", "-groups", group]]:
            text = taken(group, *options)
            used = "prime256v1" if group == "P-256" else group.replace("P-384", "secp384r1")
            assert re.search(f"Server Temp Key: (ECDH, )?({group}|{used}),", text), text[-2000:]
    for group in ["secp224r1", "secp192r1", "brainpoolP256r1", "secp256k1"]:
        refused(group, "-tls1_2", "-groups", group, "-cipher", "ALL:@SECLEVEL=0")
    for group in ["ffdhe2048", "X448"]:
        refused(group, "-tls1_3", "-groups", group)


def signatures():
    for algorithm in ["ECDSA+SHA256"]:
        taken(algorithm, "-sigalgs", algorithm)
    for algorithm in ["ECDSA+SHA1", "RSA+SHA1", "RSA+SHA256", "DSA+SHA1"]:
        options = ["-tls1_2", "-sigalgs", algorithm, "-cipher", "ALL:@SECLEVEL=0"]
        refused(algorithm, *options)


def no_compression_no_old_extensions():
    text = taken("TLS 1.2", "-tls1_2", "-comp", "-tlsextdebug", "-status")
    for line in ["Compression: NONE", "Expansion: NONE", "OCSP response: no response sent", "Extended master secret: yes"]:
        assert line in text, f"not {line}: {text}"
    for extension in ["heartbeat", "next protocol", "encrypt-then-mac"]:
        assert f'TLS server extension "{extension}' not in text, extension
    assert "Secure Renegotiation IS supported" in text, text


def no_renegotiation():
    client = subprocess.Popen([*COMMAND, "-tls1_2"], stdin=subprocess.PIPE, **PIPES)
    # The line R makes openssl ask for a new handshake; it ends because that is refused.
    client.stdin.write(b"R\n")
    client.stdin.flush()
    client.wait(SECONDS)
    text = client.stdout.read().decode("latin-1")
    assert "RENEGOTIATING" in text and "no renegotiation" in text, text[-300:]


def no_early_data():
    text = taken("TLS 1.3", "-tls1_3")
    assert "Max Early Data: 0" in text or "Max Early Data" not in text, text
    assert "Early data was not sent" in text, text


def protocols():
    """HTTP/1.1 is all there is, whatever is asked for (RFC 7301)."""
    for offered in ["http/1.1", "h2,http/1.1"]:
        text = taken(offered, "-alpn", offered)
        assert "ALPN protocol: http/1.1" in text, text[-2000:]
    assert "No ALPN negotiated" in taken("none")
    assert "alert no application protocol" in s_client("-alpn", "h2")


def names_of_the_server():
    for options in [["-noservername"], ["-servername", "other.example"], ["-servername", "label." * 40 + "example"]]:
        taken(options, *options)


def certificate():
    text = taken("the chain", "-showcerts")
    # The authority is the client's business.
    assert text.count("BEGIN CERTIFICATE") == 1, text
    assert "Acceptable client certificate CA names" not in text, text
    refused_by_client = s_client("-verify_hostname", "other.example")
    assert "hostname mismatch" in refused_by_client, refused_by_client


def openings_that_are_none():
    """They are answered with an alert or the end, and the next one is served."""
    for sent in [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x80\x2e\x01\x00\x02" + bytes(43),  # SSL 2
        b"\x16\x03\x00\x00\x05\x01\x00\x00\x01\x03",  # SSL 3, cut short
        b"\x16\x03\x01\xff\xff" + bytes(100),
        b"\x16\x03\x01\x00\x00" * 50,
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\x17\x03\x03\x00\x10" + bytes(16),
        b"\x14\x03\x03\x00\x01\x01" * 40,
        b"\x18\x03\x02\x00\x03\x01\x40\x00",  # a heartbeat that asks for more than it has
        b"\x00" * 100,
        b"\xff" * 100_000,
    ]:
        with socket.create_connection(("127.0.0.1", PORT), timeout=SECONDS) as stream:
            try:
                stream.sendall(sent)
                stream.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda: stream.recv(4096), b""))
            except OSError as error:
                assert not isinstance(error, TimeoutError), sent[:12]
                continue
            # An alert, or plain HTTP to one who speaks it.
            assert answer == b"" or answer[0] == 0x15 or answer.startswith(b"HTTP/1.1 400"), (sent[:12], answer)
    taken("the next one")


CASES = [
    versions,
    ciphers_of_tls_1_2,
    ciphers_of_tls_1_3,
    groups,
    signatures,
    no_compression_no_old_extensions,
    no_renegotiation,
    no_early_data,
    protocols,
    names_of_the_server,
    certificate,
    openings_that_are_none,
]


def main():
    report = Report("openssl", "TLS")
    for case in CASES:
        report.run(case.__name__, case)
    report.finish()


if __name__ == "__main__":
    main()
