"""AdamW with weight decay on weight matrices only."""

from torch import nn
from torch.optim import AdamW


def decays(name: str, parameter: nn.Parameter) -> bool:
    """Whether weight decay applies: not to norms, biases, position tables or the temperature."""
    return parameter.ndim >= 2 and "positional_embedding" not in name


def make_optimizer(model: nn.Module, lr: float, weight_decay: float) -> AdamW:
    """AdamW over the trainable parameters, with CLIP's betas (Radford et al. 2021, table 18)."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for name, p in named if decays(name, p)], "weight_decay": weight_decay},
        {"params": [p for name, p in named if not decays(name, p)], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=lr, betas=(0.9, 0.98), eps=1e-6)
