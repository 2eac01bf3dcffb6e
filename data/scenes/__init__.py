"""Painted scenes: a seeded generator of pictures and everyday English captions for them."""
