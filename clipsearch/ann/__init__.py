"""Nearest neighbours by inner product: the one package that imports FAISS.

`exact` scores every vector; `trained` looks at some lists of an inverted file of compressed codes, whose best
candidates the caller scores exactly. `recipes` says which serves when, `tuning` how far to look for a wanted recall.
"""
