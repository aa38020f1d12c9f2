"""Tokens by which an agent proves who it is; only their digests are kept."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable

RandomBytes = Callable[[int], bytes]  #: secrets.token_bytes

BYTES = 24


def new_token(random: RandomBytes) -> str:
    return urlsafe_b64encode(random(BYTES)).decode()


def digest(token: str) -> bytes:
    """Tokens are random enough that nobody can try them all: a plain digest keeps them."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
