"""Reading pictures: bytes to an upright RGB image, its facts, and the pixels a model wants."""
