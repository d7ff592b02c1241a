"""Hugging Face models and tokenizers as people use them: a tiny GPT-2 on padded texts."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine import Problem
from engine.problems.trial import try_out
from engine.settings import LossKind, VariantSettings
from engine.training.schedule import epoch_order
from engine.training.trainer import Trainer

transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")
pytestmark = pytest.mark.integration

CPU = torch.device("cpu")
SEED, BATCH = 2, 8
WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "saw", "it"]
TEXTS = [" ".join((WORDS * 3)[k : k + 2 + k * 5 % 9]) for k in range(18)]


def tokenizer() -> Any:
    """A tokenizer of words that needs no download."""
    vocabulary = {word: number for number, word in enumerate(["[PAD]", *WORDS])}
    model = tokenizers.models.WordLevel(vocabulary, unk_token="[PAD]")
    made = tokenizers.Tokenizer(model)
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, pad_token="[PAD]")


class Texts(torch.utils.data.Dataset[Any]):
    """Texts, as the tokenizer returns them: a BatchEncoding of lists, each of another length."""

    def __init__(self) -> None:
        self._tokenizer = tokenizer()

    def __len__(self) -> int:
        return len(TEXTS)

    def __getitem__(self, index: int) -> Any:
        return self._tokenizer(TEXTS[index])


def collate() -> Any:
    """Pads texts, with labels of −100 where there is none."""
    return transformers.DataCollatorForLanguageModeling(tokenizer(), mlm=False)


def gpt2(returns_tuples: bool = False) -> nn.Module:
    config = transformers.GPT2Config(
        vocab_size=1 + len(WORDS), n_positions=16, n_embd=8, n_layer=1, n_head=2,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip

    class Tuples(transformers.GPT2LMHeadModel):  # type: ignore[misc, name-defined]
        def forward(self, input_ids: Any, attention_mask: Any, labels: Any) -> Any:
            named = {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}
            return super().forward(**named, return_dict=False)

    kind = Tuples if returns_tuples else transformers.GPT2LMHeadModel
    return kind(config)  # type: ignore[no-any-return]


def problem(returns_tuples: bool = False) -> Problem:
    return Problem(
        train=Texts(),
        validation=Texts(),
        model=lambda: gpt2(returns_tuples),
        collate=collate(),
    )


def reference() -> Tensor:
    """The weights after an epoch of a plain loop."""
    torch.manual_seed(SEED)
    model, texts, pad = gpt2().train(), Texts(), collate()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    order = epoch_order(SEED, 1, len(texts))
    for start in range(0, len(texts), BATCH):
        optimizer.zero_grad()
        model(**pad([texts[k] for k in order[start : start + BATCH]])).loss.backward()
        optimizer.step()
    return torch.cat([each.detach().flatten() for each in model.parameters()])


@pytest.mark.parametrize("returns_tuples", [False, True], ids=["objects", "tuples"])
@pytest.mark.parametrize(
    "cut",
    [{"batch_size": 8}, {"batch_size": 2, "accumulation_steps": 4}],
    ids=["whole", "2 × 4"],
)
def test_padded_texts_train_as_in_a_plain_loop(cut: dict[str, Any], returns_tuples: bool) -> None:
    trainer = Trainer(problem(returns_tuples), VariantSettings(lr=0.1, **cut), SEED, CPU)
    while trainer.epoch < 1 or not trainer.at_epoch_end:
        trainer.advance(100)
    found = torch.from_numpy(trainer.weights())
    torch.testing.assert_close(found, reference(), rtol=0, atol=1e-6)
    validated = trainer.validate()
    assert validated is not None
    assert validated.loss == pytest.approx(trainer.full_loss(), rel=1e-6)


def test_the_loader_finds_the_loss_exact() -> None:
    facts = try_out(problem(), SEED, CPU)
    assert facts.model == "GPT2LMHeadModel"
    assert facts.audit is not None
    assert facts.audit.kind is LossKind.EXACT


def test_a_whole_data_set_as_a_batch_encoding() -> None:
    encoded = tokenizer()(TEXTS, padding=True, return_tensors="pt")
    encoded["labels"] = encoded["input_ids"].masked_fill(encoded["attention_mask"] == 0, -100)
    settings = VariantSettings(batch_size=BATCH, lr=0.1)
    trainer = Trainer(Problem(train=encoded, model=gpt2), settings, SEED, CPU)
    assert trainer.n == len(TEXTS)
    while trainer.epoch < 1 or not trainer.at_epoch_end:
        trainer.advance(100)
    found = torch.from_numpy(trainer.weights())
    torch.testing.assert_close(found, reference(), rtol=0, atol=1e-6)
