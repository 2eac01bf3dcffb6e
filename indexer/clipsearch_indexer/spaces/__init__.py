"""Several embedding spaces in one index: further ones are brought level with the main one.

    models -> add -> level: difference -> pictures or captions -> (clipsearch.store) segments -> publish

The main space is indexed as ever, by comparing sources with its catalog. A further space knows nothing of sources: it
follows the main one's catalog, with the same ids and metadata, and reads pictures again only to embed them.
"""

from clipsearch_indexer.spaces.add import add_space

__all__ = ["add_space"]
