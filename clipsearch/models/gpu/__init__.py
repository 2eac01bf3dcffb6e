"""Pictures through a network on CUDA GPUs, where there are many: batches of one size, recorded once, and each copied
while the last one computes.

    images      how many it takes before any of this pays, and what is done where it fails
    choice      which form of the network, in which batches: measured once, then remembered
    forms       a network made ready for one GPU
    lane        one GPU at work
    benchmark   how quick all this is, as a share of what `flops` says is possible
"""
