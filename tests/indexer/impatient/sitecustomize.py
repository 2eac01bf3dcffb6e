"""For a process that is started with this folder on its PYTHONPATH: a decoder waits for half a second, not a minute."""

from clipsearch.pictures import worker

worker.IDLE = 0.5
