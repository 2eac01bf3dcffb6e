"""Training of CLIP dual encoders: loss, optimiser groups, schedule and loop."""
