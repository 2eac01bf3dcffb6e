import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from open_clip.tokenizer import SimpleTokenizer
from train_tokenizer import learn_merges, write_merges

import clipsearch

MINI = Path(clipsearch.__file__).parent / "models" / "mini"


@pytest.fixture(scope="module")
def tokenizer() -> SimpleTokenizer:
    return SimpleTokenizer(bpe_path=str(MINI / "bpe_simple_vocab.txt.gz"), context_length=32)


def test_the_vocabulary_fits_the_model(tokenizer: SimpleTokenizer) -> None:
    config = json.loads((MINI / "open_clip_config.json").read_text())["model_cfg"]["text_cfg"]
    assert tokenizer.vocab_size == config["vocab_size"]
    assert tokenizer.eot_token_id == config["vocab_size"] - 1
    assert config["context_length"] == 32


@pytest.mark.parametrize("word", ["dog", "dogs", "snow", "underwater", "sunset", "beach", "umbrella", "hippopotamus"])
def test_everyday_words_are_one_token(tokenizer: SimpleTokenizer, word: str) -> None:
    assert len(tokenizer.encode(word)) == 1


@pytest.mark.parametrize("text", ["the quick brown fox jumps over a dog", "photosynthesis", "crème brûlée", "東京"])
def test_any_text_survives_a_round_trip(tokenizer: SimpleTokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)).strip() == text


def test_merges_are_the_most_frequent_pairs_first() -> None:
    merges = learn_merges(Counter({"low": 5, "lower": 2, "newest": 6, "widest": 3}), 4)
    assert merges[0] == ("e", "s")
    assert merges[1] == ("es", "t</w>")
    assert merges[2] == ("l", "o")


def test_written_merges_are_read_back_by_open_clip(tmp_path: Path) -> None:
    merges = learn_merges(Counter({"banana": 4, "bandana": 2}), 5)
    path = tmp_path / "bpe.txt.gz"
    write_merges(path, merges)
    assert SimpleTokenizer(bpe_path=str(path)).vocab_size == 2 * 256 + len(merges) + 2


def test_the_weights_are_small_half_floats() -> None:
    from safetensors.torch import load_file

    path = MINI / "open_clip_model.safetensors"
    assert path.stat().st_size <= 20_000_000
    state = load_file(path)
    assert {tensor.dtype for tensor in state.values()} <= {torch.float16, torch.int64}
    assert all(bool(torch.isfinite(tensor).all()) for tensor in state.values() if tensor.is_floating_point())
