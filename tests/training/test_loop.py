import math

import pytest
import torch
from torch import nn

from clipsearch.training.average import Average
from clipsearch.training.image_tower import encode_image_any_size
from clipsearch.training.learner import make_learner
from clipsearch.training.loop import Step, train
from clipsearch.training.losses import MAX_SCALE
from clipsearch.training.optimizer import make_optimizer
from clipsearch.training.schedule import warmup_cosine
from clipsearch.training.settings import Recipe
from clipsearch.training.text_tower import encode_text, encode_text_trimmed
from tests.training.tiny_clip import RESNET, tiny_batch, tiny_clip, tiny_tokens


def test_warmup_rises_and_the_cosine_falls_to_zero() -> None:
    assert [warmup_cosine(p, 0.1) for p in (0.0, 0.05, 0.1)] == pytest.approx([0.0, 0.5, 1.0])
    assert warmup_cosine(0.55, 0.1) == pytest.approx(0.5)
    assert warmup_cosine(1.0, 0.1) == pytest.approx(0.0)
    assert warmup_cosine(1.2, 0.1) == pytest.approx(0.0)
    with pytest.raises(ValueError, match="warm-up"):
        warmup_cosine(0.5, 1.0)


def test_norms_biases_positions_and_temperature_do_not_decay() -> None:
    model = tiny_clip(RESNET)
    optimizer = make_optimizer([model], 0.1, 0.3)
    by_id = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    decay = {name: by_id[id(p)] for name, p in model.named_parameters()}
    assert len(decay) == len(by_id)
    assert decay["visual.conv1.weight"] == decay["token_embedding.weight"] == 0.3
    for name in (
        "logit_scale",
        "positional_embedding",
        "visual.bn1.weight",
        "ln_final.bias",
        "visual.attnpool.positional_embedding",
        "visual.attnpool.q_proj.bias",
    ):
        assert decay[name] == 0.0


def test_trimmed_texts_have_the_features_of_padded_ones() -> None:
    model, tokens = tiny_clip().eval(), tiny_tokens([3, 11, 1, 5, 5, 2, 8])
    with torch.no_grad():
        assert torch.allclose(encode_text_trimmed(model, tokens), model.encode_text(tokens), atol=1e-5)


def test_a_text_tower_that_sees_the_padding_is_not_trimmed() -> None:
    from open_clip.model import CLIP

    text = {"context_length": 12, "vocab_size": 50, "width": 16, "heads": 2, "layers": 1}
    vision = {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16}
    model = CLIP(16, vision, text | {"no_causal_mask": True, "pool_type": "last", "proj_bias": True}).eval()
    tokens = tiny_tokens([3, 11, 1])
    with torch.no_grad():
        assert torch.equal(encode_text(model, tokens), model.encode_text(tokens))


def test_images_of_the_models_size_have_its_own_features() -> None:
    model, images = tiny_clip(RESNET).eval(), torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(encode_image_any_size(model, images), model.encode_image(images), atol=1e-6)


def test_other_sizes_train_the_models_own_position_table() -> None:
    model = tiny_clip(RESNET)
    for block in (model.visual.layer1, model.visual.layer4):
        nn.init.ones_(block[0].bn3.weight)
    features = encode_image_any_size(model, torch.rand(2, 3, 96, 32))
    assert features.shape == (2, 16)
    features.pow(2).sum().backward()
    assert model.visual.attnpool.positional_embedding.grad.abs().sum() > 0


def steps_of(recipe: Recipe, lr: float, count: int, start: int = 0) -> list[Step]:
    learner, batch = make_learner(tiny_clip(), recipe, lr), tiny_batch()
    return list(train(learner, lambda step, progress: batch, recipe, lr, lambda made: made / count, start))


@pytest.mark.parametrize("loss", ["clip", "siglip"])
def test_the_loop_learns(loss: str) -> None:
    steps = steps_of(Recipe(loss=loss), 1e-2, 30)
    assert [step.step for step in steps] == list(range(1, 31))
    assert steps[-1].loss < 0.6 * steps[0].loss
    assert (steps[-1].bias is not None) == (loss == "siglip")


def test_the_rate_follows_warmup_and_cosine() -> None:
    rates = [step.lr for step in steps_of(Recipe(warmup=0.2), 1e-3, 10)]
    wanted = [1e-3 * warmup_cosine(step / 10, 0.2) for step in range(10)]
    assert rates == pytest.approx(wanted)
    assert max(rates) == 1e-3


def test_the_temperature_is_clamped_for_clip_only() -> None:
    recipe = Recipe(warmup=0.0)
    learner = make_learner(tiny_clip(), recipe, 1.0)
    next(train(learner, lambda *_: tiny_batch(), recipe, 1.0, lambda made: made / 9))
    assert 0.0 <= learner.network.logit_scale.item() <= math.log(MAX_SCALE)


def test_the_sigmoid_loss_begins_where_its_paper_does_and_goes_on_from_a_learned_bias() -> None:
    network = make_learner(tiny_clip(), Recipe(loss="siglip"), 0.0).network
    assert network.logit_scale.exp().item() == pytest.approx(10.0)
    assert network.logit_bias.item() == -10.0
    with torch.no_grad():
        network.logit_bias.fill_(-16.5)
        network.logit_scale.fill_(4.7)
    again = make_learner(network, Recipe(loss="siglip"), 0.0).network
    assert (again.logit_bias.item(), again.logit_scale.item()) == pytest.approx((-16.5, 4.7))


def test_the_average_follows_the_weights_slower_and_slower() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = Average(network, 0.9)
    wanted = {name: value.double() for name, value in network.state_dict().items()}
    for step in range(1, 120):
        for value in network.state_dict().values():
            value.add_(1)
        average.update(network, step)
        decay = min(0.9, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            wanted[name] = decay * wanted[name] + (1 - decay) * value
    assert int(average.state["1.num_batches_tracked"]) == 119
    for name in ("0.weight", "1.running_mean"):
        assert torch.allclose(average.state[name].double(), wanted[name], rtol=1e-4)
