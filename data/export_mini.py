"""Writes the form of mini that runs without torch beside its weights: `python data/export_mini.py [FOLDER]`.

To be run again whenever mini was trained anew. What is written is not part of the model's fingerprint.
"""

from __future__ import annotations

import sys
from pathlib import Path

from clipsearch.models.names import MINI
from clipsearch.models.towers.shipped import ship

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else MINI
cosine = ship(folder)
files = [file for file in sorted(folder.iterdir()) if file.is_file()]
print(f"Worst cosine to torch over the samples: {cosine:.6f}")
print("\n".join(f"{file.stat().st_size:>10,} {file.name}" for file in files))
