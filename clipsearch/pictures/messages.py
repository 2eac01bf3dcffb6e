"""What a process that decodes pictures is told and what it answers: frames of bytes on its standard streams.

A frame is its length (4 bytes, little-endian), one byte that says what it is, and the content, as MessagePack. That,
unlike a pickle, cannot make the reader run anything: the decoder has looked at files from anywhere.

Pictures go in groups of up to `MOST`, so that what a frame costs is shared. Pixels do not travel: they lie in memory
that both sides have, one picture's behind the other's.
"""

from __future__ import annotations

import mmap
import struct
import sys
from dataclasses import dataclass
from typing import IO, Any

import msgspec
import numpy as np

from clipsearch.errors import FailureReason
from clipsearch.pictures.for_model import Target
from clipsearch.pictures.perceptual import Appearance
from clipsearch.types import PictureFacts, Pixels

JOB, READ, DECODE = 0, 1, 2
"""A `Job`; a list of `Source` to be read, answered by a `ReadGroup`; or a list of places in the group that was read
last, to be decoded, answered by a list of `Decoding`."""

READY, ANSWER = 3, 4

MOST = 8
"""Pictures a group."""

NOBODY = MOST
"""`SharedPixels.at` while no picture is being decoded."""

Source = tuple[bool, bytes]
"""A picture file: True and its path as the system has it, or False and its content."""

_HEAD = struct.Struct("<IB")


@dataclass(frozen=True, slots=True)
class Job:
    """What the pictures that follow are decoded for, and how many seconds each may take."""

    target: Target
    seconds: float


class Content(msgspec.Struct, frozen=True, tag=True):
    """A file was read: its bytes, and their `clipsearch.pictures.content_hash`."""

    size: int
    content_hash: str


class Found(msgspec.Struct, frozen=True, tag=True):
    """A picture was decoded, and its pixels lie in the shared memory."""

    facts: PictureFacts
    looks: Appearance
    thumbnail: bytes | None


class Refused(msgspec.Struct, frozen=True, tag=True):
    """A picture cannot be read or decoded: what its `PictureError` says."""

    reason: FailureReason
    message: str


class ReadGroup(msgspec.Struct, frozen=True):
    """A group was read, from `began` to `ended`: seconds by `time.perf_counter`, one clock for all processes."""

    began: float
    ended: float
    outcomes: list[Content | Refused]


class Decoding(msgspec.Struct, frozen=True):
    """A picture was decoded, or refused, from `began` to `ended`."""

    began: float
    ended: float
    outcome: Found | Refused


def send(stream: IO[bytes], kind: int, content: Any = None) -> None:
    """Write a frame."""
    encoded = msgspec.msgpack.encode(content)
    stream.write(_HEAD.pack(len(encoded), kind))
    stream.write(encoded)
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


class SharedPixels:
    """The memory that a decoder shares with whoever started it: `pixels`, uint8 [MOST, height, width, 3].

    Args:
        name: a file descriptor that both have, or on Windows the name of a mapping.
        target: says the size of pixels.
    """

    def __init__(self, name: str, target: Target) -> None:
        size = self.size(target)
        if sys.platform == "win32":
            self._memory = mmap.mmap(-1, size, tagname=f"{name}-{size}")
        else:
            self._memory = mmap.mmap(int(name), size)
        shape = (MOST, *target.shape)
        self.pixels: Pixels = np.frombuffer(self._memory, np.uint8, count=size - 1).reshape(shape)

    @staticmethod
    def size(target: Target) -> int:
        """Bytes: the pixels, and one that says which picture of a group is being decoded."""
        return MOST * int(np.prod(target.shape)) + 1

    @property
    def at(self) -> int:
        """The place in its group of the picture being decoded, also after the process ended over it; else `NOBODY`."""
        return self._memory[-1]

    @at.setter
    def at(self, place: int) -> None:
        self._memory[-1] = place
