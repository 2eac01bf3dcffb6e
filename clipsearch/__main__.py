"""`python -m clipsearch`."""

from clipsearch.cli.app import run

run()
