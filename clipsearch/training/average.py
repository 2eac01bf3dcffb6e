"""An exponential moving average of the weights, which often does better than the last ones."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Average:
    """The average of a network's weights and statistics over the steps.

    average <- d average + (1 - d) weights, where d = min(decay, (1 + step) / (10 + step)), so that the first steps do
    not weigh for ever (TensorFlow's `ExponentialMovingAverage` with `num_updates`). Counters are copied.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights after step number `step`, counted from 1."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value, 1 - decay)
            else:
                self.state[name].copy_(value)

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a stored average."""
        for name, value in state.items():
            self.state[name].copy_(value)
