"""CLIP models: names, presets, weights and the encoders made of them. The only package that imports torch."""
