"""What a picture file is known by, whatever its name."""

from __future__ import annotations

import hashlib


def content_hash(data: bytes) -> str:
    """BLAKE2b of a picture's encoded bytes, 128 bits as 32 hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()
