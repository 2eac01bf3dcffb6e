"""Benchmarks of the search engine: `python tests/benchmarks/search --help`."""
