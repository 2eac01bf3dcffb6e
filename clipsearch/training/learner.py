"""What training changes: the network and all that goes with it into a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import AdamW

from clipsearch.training.average import Average
from clipsearch.training.losses import SIGLIP_START_BIAS, SIGLIP_START_SCALE
from clipsearch.training.optimizer import make_optimizer
from clipsearch.training.settings import Loss, Recipe, Tower

_OF_THE_LOSS = ("logit_scale", "logit_bias")


@dataclass(frozen=True, slots=True)
class Learner:
    """A network while it learns.

    Attributes:
        network: An open_clip model; Any, since open_clip publishes no types.
        optimizer: Over whatever is not locked.
        head: Into the teacher's space, where there is a teacher of another length.
        scaler: Of the loss, where the recipe's float16 would lose small gradients; else it multiplies by one.
        average: Of the weights, where the recipe wants one.
    """

    network: Any
    optimizer: AdamW
    scaler: GradScaler
    head: nn.Module | None = None
    average: Average | None = None

    @property
    def modules(self) -> list[nn.Module]:
        """Everything with parameters."""
        return [self.network] if self.head is None else [self.network, self.head]

    @property
    def shared(self) -> list[Tensor]:
        """Parameters of the loss itself, which belong to no pair."""
        own = [getattr(self.network, name, None) for name in _OF_THE_LOSS]
        return [p for p in own if p is not None] + (list(self.head.parameters()) if self.head else [])

    def train(self) -> None:
        """Training mode, but for what is locked, whose batch normalisation must stay as it is."""
        for child in self.network.children():
            parameters = list(child.parameters())
            child.train(not parameters or any(p.requires_grad for p in parameters))

    def weights(self) -> dict[str, Tensor]:
        """The weights to write: the average where there is one."""
        state: dict[str, Tensor] = self.average.state if self.average else self.network.state_dict()
        return state

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to go on."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "head": self.head.state_dict() if self.head else None,
            "average": self.average.state if self.average else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Be what `state` was taken of."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state.get("scaler", {}))  # none in what was written before there was float16
        if self.head:
            self.head.load_state_dict(state["head"])
        if self.average:
            self.average.load(state["average"])


def make_learner(network: Any, recipe: Recipe, lr: float, head: nn.Module | None = None) -> Learner:
    """Make a network ready to learn as `recipe` says, on the device it is on; `lr` is the peak learning rate."""
    network.requires_grad_(True)
    lock(network, recipe.lock)
    prepare_logits(network, recipe.loss)
    modules = [network] if head is None else [network, head]
    return Learner(
        network,
        make_optimizer(modules, lr, recipe.weight_decay),
        GradScaler(network.logit_scale.device.type, enabled=recipe.precision == "float16"),
        head,
        None if recipe.ema is None else Average(network, recipe.ema),
    )


def lock(network: Any, tower: Tower | None) -> None:
    """Keep one tower as it is, projection included (LiT: Zhai et al. 2022, "Zero-Shot Transfer with Locked-image text
    Tuning")."""
    if tower is not None:
        for name, parameter in network.named_parameters():
            if name not in _OF_THE_LOSS and name.startswith("visual.") == (tower == "image"):
                parameter.requires_grad_(False)


def prepare_logits(network: Any, loss: Loss) -> None:
    """Give the sigmoid loss a bias to learn, with the start of its paper (section 3.2) where the network was not
    trained with one; CLIP's loss needs none, and a softmax does not see one."""
    bias = network.logit_bias
    if loss == "clip":
        if bias is not None:
            bias.requires_grad_(False)
        return
    if bias is None:
        network.logit_bias = bias = nn.Parameter(torch.zeros_like(network.logit_scale))
    if not bias.any():
        with torch.no_grad():
            bias.fill_(SIGLIP_START_BIAS)
            network.logit_scale.copy_(torch.tensor(SIGLIP_START_SCALE).log())
