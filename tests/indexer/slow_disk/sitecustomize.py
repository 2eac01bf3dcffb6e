"""A bad disk, for a process started with this folder on its PYTHONPATH: each file takes a tenth of a second, and one
called `kill` is the end of who reads it."""

import os
import time
from pathlib import Path

read_bytes = Path.read_bytes


def slow(self):
    if self.name == "kill":
        os.abort()
    time.sleep(0.1)
    return read_bytes(self)


Path.read_bytes = slow
