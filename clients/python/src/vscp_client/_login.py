"""The login of ws1 and ws2: AES-128 in CBC mode (NIST SP 800-38A)."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from ._errors import VscpError

#: The key that the demonstrations use. Everybody knows it: make your own.
TEST_KEY = "2DBB079A38985AF00EBEEFE22F9FFA0E"


def key_of(digits: str) -> bytes:
    """Return the key that 32 hex digits stand for."""
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        key = b""
    if len(key) != 16:
        raise VscpError(0, "The key must be 32 hex digits.")
    return key


def encrypt(key: bytes, session: str, user: str, password: str) -> str:
    """Return the login of a user as hex digits; the session is what the server has sent."""
    padder = PKCS7(128).padder()
    plain = padder.update(f"{user}:{password}".encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes.fromhex(session))).encryptor()
    return (encryptor.update(plain) + encryptor.finalize()).hex()
