"""Run by clip-retrieval's own Python: `clip-retrieval inference` with its defaults.

Arguments: pictures, output, model.
"""

import sys

from clip_retrieval import clip_inference

if __name__ == "__main__":
    pictures, output, model = sys.argv[1:]
    clip_inference(pictures, output, enable_text=False, clip_model=model)
