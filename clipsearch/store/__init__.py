"""The index directory: segments are the log, a published version is what readers see."""
