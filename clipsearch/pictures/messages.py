"""What a process that decodes pictures is told and what it answers: frames of bytes on its standard streams.

A frame is its length (4 bytes, little-endian), one byte that says what it is, and the content. Answers are MessagePack,
which, unlike a pickle, cannot make the reader run anything: the decoder has looked at files from anywhere.
"""

from __future__ import annotations

import mmap
import struct
import sys
from dataclasses import dataclass
from typing import IO

from clipsearch.errors import FailureReason
from clipsearch.pictures.for_model import Target
from clipsearch.pictures.perceptual import Appearance
from clipsearch.types import PictureFacts

JOB, PICTURE = 0, 1
"""A `Job`, or the bytes of a picture file, to be answered by a `Found` or a `Refused`."""

READY, FOUND, REFUSED = 2, 3, 4

_HEAD = struct.Struct("<IB")


@dataclass(frozen=True, slots=True)
class Job:
    """What the pictures that follow are decoded for, and how many seconds each may take."""

    target: Target
    seconds: float


@dataclass(frozen=True, slots=True)
class Found:
    """A picture was decoded, and its pixels lie in the shared memory."""

    facts: PictureFacts
    looks: Appearance
    thumbnail: bytes | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A picture cannot be decoded: what its `PictureError` says."""

    reason: FailureReason
    message: str


def send(stream: IO[bytes], kind: int, content: bytes = b"") -> None:
    """Write a frame."""
    stream.write(_HEAD.pack(len(content), kind))
    stream.write(content)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[int, bytes]:
    """Read a frame: what it is, and its content.

    Raises:
        EOFError: the other side is gone.
    """
    length, kind = _HEAD.unpack(_exactly(stream, _HEAD.size))
    return kind, _exactly(stream, length)


def _exactly(stream: IO[bytes], length: int) -> bytes:
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return content


def map_shared(name: str, size: int) -> mmap.mmap:
    """The memory that a decoder shares with whoever started it, at least `size` bytes of it.

    `name` is a file descriptor that both have, or on Windows the name of a mapping.
    """
    if sys.platform == "win32":
        return mmap.mmap(-1, size, tagname=f"{name}-{size}")
    return mmap.mmap(int(name), size)
