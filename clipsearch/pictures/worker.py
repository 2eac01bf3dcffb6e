"""A process that decodes pictures: what runs in it.

A decoder is C code that looks at files from anywhere. Here it may crash or never end without harm to the process that
wants the pictures (`clipsearch.pictures.isolated`). Little is imported, so that it starts in a fraction of a second.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from contextlib import suppress
from typing import IO

import msgspec
import numpy as np

from clipsearch.errors import PictureError
from clipsearch.pictures.for_model import decode_for
from clipsearch.pictures.messages import FOUND, JOB, READY, REFUSED, Found, Job, Refused, map_shared, receive, send

IDLE = 60.0
"""Seconds without a picture after which the process ends."""

TOO_LONG = 1
"""Exit status of a process that took too long; that of `faulthandler`'s timer."""


def main(shared: str) -> None:
    """Answer the frames on the standard input until it ends. `shared` names the memory for pixels."""
    # Ctrl-C is for the process that started this one, which wants what is being decoded.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = sys.stdin.buffer, _standard_output()
    with open(os.devnull, "w") as nowhere, suppress(EOFError, BrokenPipeError):
        send(answers, READY)
        job = memory = None
        while True:
            # A timer in C, which ends the process even where a decoder never comes back.
            faulthandler.dump_traceback_later(IDLE, exit=True, file=nowhere)
            kind, content = receive(requests)
            if kind == JOB:
                job = msgspec.msgpack.decode(content, type=Job)
                memory = map_shared(shared, int(np.prod(job.target.shape)))
                continue
            assert job is not None
            assert memory is not None
            faulthandler.dump_traceback_later(job.seconds, exit=True, file=nowhere)
            try:
                decoded = decode_for(job.target, content)
            except PictureError as error:
                send(answers, REFUSED, msgspec.msgpack.encode(Refused(error.reason, str(error))))
            else:
                memory[:] = decoded.pixels.tobytes()
                send(answers, FOUND, msgspec.msgpack.encode(Found(decoded.facts, decoded.looks, decoded.thumbnail)))


def _standard_output() -> IO[bytes]:
    """The standard output as it is now; whatever a library prints there from here on goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    return answers
