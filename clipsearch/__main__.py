"""`python -m clipsearch`."""

from clipsearch.cli.app import main

main()
