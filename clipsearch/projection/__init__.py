"""Vectors on a plane: coordinates that keep neighbours together."""
