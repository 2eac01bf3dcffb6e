"""Run by rclip's own Python: put random unit vectors into its database. Arguments: database, folder, how many."""

import sys
from pathlib import Path

import numpy as np
from rclip import db

if __name__ == "__main__":
    database, folder, count = db.DB(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    vectors = np.random.default_rng(0).standard_normal((count, 512), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for number, vector in enumerate(vectors):
        path = str(folder / f"{number:07d}.jpg")
        image = db.NewImage(filepath=path, modified_at=0.0, size=1, vector=vector.tobytes(), hash=path)
        database.upsert_image(image, commit=False)
    database.close()
