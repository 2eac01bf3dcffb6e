"""What a training begins with: a model's weights, or an architecture and chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from clipsearch.errors import ModelError, UsageError
from clipsearch.models.catalogue import Config
from clipsearch.models.fingerprint import fingerprint_of
from clipsearch.models.openclip import build_network, load_network
from clipsearch.models.tokenizer import load_tokenizer
from clipsearch.models.tokenizer_files import TokenizerFiles
from clipsearch.models.weights import blueprint, resolve
from clipsearch.types import Preprocessing

_FROM_NOTHING, _FROM_A_MODEL = 5e-4, 1e-5


@dataclass(frozen=True, slots=True)
class Start:
    """A network to train and what belongs to it. `begun_with` names it so that a run can be told from another; `lr` is
    the usual peak learning rate."""

    network: Any
    config: Config
    tokenizer: TokenizerFiles
    preprocessing: Preprocessing
    begun_with: str
    lr: float

    def tokenize(self) -> Callable[[Sequence[str]], Tensor]:
        """The model's tokenizer: sentences to int64 (n, context).

        Raises:
            ModelError: Its file is damaged.
        """
        try:
            cut = load_tokenizer(self.tokenizer)
        except Exception as error:
            raise ModelError(
                f"{self.tokenizer.vocabulary} is damaged or not a tokenizer: get the file again"
            ) from error
        return lambda texts: torch.from_numpy(cut(texts))


def begin(model: str | None, architecture: str | None, *, seed: int, offline: bool) -> Start:
    """Load the model to go on from, or build an architecture with weights drawn from `seed`.

    Raises:
        UsageError: Neither or both are given.
        ModelError: It cannot be found, built or loaded.
    """
    if (model is None) == (architecture is None):
        raise UsageError("Say what to begin with: either --model to go on from one, or --architecture to begin anew.")
    if architecture is not None:
        plan = blueprint(architecture, offline=offline)
        torch.manual_seed(seed)
        network = build_network(plan.config, plan.name)
        name = f"{architecture} from nothing"
        return Start(network, plan.config, plan.tokenizer, plan.preprocessing, name, _FROM_NOTHING)
    found = resolve(model or "", offline=offline)
    name = f"{found.name} ({fingerprint_of(found)})"
    return Start(load_network(found), found.config, found.tokenizer, found.preprocessing, name, _FROM_A_MODEL)
