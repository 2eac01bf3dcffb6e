"""Run by rclip's own Python: index a folder as `rclip` does before it searches. Arguments: folder, pixels a side.

rclip knows one model, which reads 256 pixels; the side is set so that others of its kind can be compared. It prints how
many seconds indexing took, its start and the search left out.
"""

import json
import sys
import time

from rclip import main
from rclip.utils import preprocess

if __name__ == "__main__":
    folder, side = sys.argv[1], int(sys.argv[2])
    preprocess.IMAGE_SIZE = side
    ensure_index, taken = main.RClip.ensure_index, []

    def timed(rclip, directory):
        began = time.perf_counter()
        ensure_index(rclip, directory)
        taken.append(time.perf_counter() - began)

    main.RClip.ensure_index = timed
    main.init_rclip(folder, 8)  # its default batch
    print(json.dumps({"work_seconds": taken[0]}))
