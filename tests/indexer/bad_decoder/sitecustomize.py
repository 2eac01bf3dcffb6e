"""A decoder with two bugs, for a process that is started with this folder on its PYTHONPATH: BMP files of one width end
the process, those of another never end, and neither lets go of the interpreter."""

import ctypes

from PIL import BmpImagePlugin

CRASHES, HANGS = 13, 17

load = BmpImagePlugin.BmpImageFile.load


def buggy(self):
    if self.width == CRASHES:
        ctypes.string_at(0)
    if self.width == HANGS:
        ctypes.PyDLL(None).pause()
    return load(self)


BmpImagePlugin.BmpImageFile.load = buggy
