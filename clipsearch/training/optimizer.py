"""AdamW with weight decay on weight matrices only."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn
from torch.optim import AdamW

_TABLES = (
    "positional_embedding",
    "position_embeddings",
    "pos_embed",
    "cls_token",
    "relative_position",
    "class_embedding",
)


def decays(name: str, parameter: nn.Parameter) -> bool:
    """Whether weight decay applies: not to norms, biases, position tables, class tokens or the temperature."""
    return parameter.ndim >= 2 and not any(table in name for table in _TABLES)


def make_optimizer(modules: Iterable[nn.Module], lr: float, weight_decay: float) -> AdamW:
    """AdamW over the trainable parameters, with CLIP's betas (Radford et al. 2021, table 18)."""
    named = [(name, p) for module in modules for name, p in module.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for name, p in named if decays(name, p)], "weight_decay": weight_decay},
        {"params": [p for name, p in named if not decays(name, p)], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=lr, betas=(0.9, 0.98), eps=1e-6)
