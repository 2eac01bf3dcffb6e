"""Queries: what a user asks into a vector, and a vector into hits."""
