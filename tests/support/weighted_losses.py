"""Problems whose losses are no means over samples, in float64, and the loop of big batches."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset

from engine.problem import Problem
from engine.training.schedule import epoch_order

N = 150
LENGTH, CLASSES = 6, 5


class Tokens(nn.Module):
    """Class numbers (b, t) -> scores (b, classes, t), as torch's cross-entropy takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(CLASSES, 4)
        self.hidden = nn.Linear(4, 8)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = torch.tanh(self.hidden(self.embedding(inputs)))
        # Each position sees the ones before it.
        return self.head(hidden.cumsum(1) / 3).transpose(1, 2)


class Probabilities(Tokens):
    def forward(self, inputs: Tensor) -> Tensor:
        return functional.log_softmax(super().forward(inputs), 1)


def ragged(ignored: int = -100, n: int = N) -> tuple[Tensor, Tensor]:
    """Inputs and targets of which each sample ignores another share, every seventh all of them."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randint(1, CLASSES, (n, LENGTH), generator=generator)
    target = torch.randint(1, CLASSES, (n, LENGTH), generator=generator)
    lengths = torch.randint(1, LENGTH + 1, (n, 1), generator=generator)
    lengths[::7] = 0
    return inputs, target.masked_fill(torch.arange(LENGTH) >= lengths, ignored)


CLASS_WEIGHTS = torch.tensor([1.0, 9.0, 0.5, 2.0, 4.0], dtype=torch.float64)


def masked_mean(output: Tensor, target: Tensor) -> Tensor:
    """A loss that torch does not have, over targets above −1; the mean of none is not a number."""
    each = (output.mean(1) - target.clamp(min=0)) ** 2
    mask = (target != -100).double()
    return (each * mask).sum() / mask.sum()


def over_valid(output: Tensor, target: Tensor) -> Tensor:
    return (target != -100).sum()


def squares(output: Tensor, target: Tensor) -> Tensor:
    """A mean over samples that torch does not have under a name."""
    return (output.mean(1) - target.clamp(min=0)).square().mean()


def tokens(loss: Any, ignored: int = -100, model: type[nn.Module] = Tokens, **more: Any) -> Problem:
    data = ragged(ignored)
    return Problem(
        train=data,
        validation=tuple(tensor[:61] for tensor in data),
        model=lambda: model().double(),
        loss=loss,
        **more,
    )


def regression(loss: Any, **more: Any) -> Problem:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(N, 3, generator=generator, dtype=torch.float64)
    target = inputs.sum(1, keepdim=True).sin()
    return Problem(
        train=(inputs, target),
        validation=(inputs[:61], target[:61]),
        model=lambda: nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1)).double(),
        loss=loss,
        **more,
    )


class LabelledTokens(Dataset[Any]):
    """Samples as a Hugging Face model takes them."""

    def __init__(self) -> None:
        self.inputs, self.labels = ragged()

    def __len__(self) -> int:
        return N

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"input_ids": self.inputs[index], "labels": self.labels[index]}


def shifted_loss(logits: Tensor, labels: Tensor, vocab_size: int, **_: Any) -> Tensor:
    """The loss of Hugging Face's causal language models, but for their rounding to float32."""
    return functional.cross_entropy(
        logits[:, :-1].reshape(-1, vocab_size), labels[:, 1:].reshape(-1)
    )


def gpt2(loss: Callable[..., Tensor] | None = shifted_loss) -> Problem:
    """A tiny GPT-2 that computes its loss itself, None: rounded to float32; needs transformers."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=CLASSES,
        n_positions=LENGTH,
        n_embd=8,
        n_layer=1,
        n_head=2,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=0,
        eos_token_id=0,
    )

    def model() -> nn.Module:
        made = GPT2LMHeadModel(config).double()
        if loss is not None:
            made.loss_function = loss
        return made

    return Problem(
        train=LabelledTokens(),
        validation=LabelledTokens(),
        model=model,
        loss=lambda output, batch: output.loss,
    )


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "ignored targets": lambda: tokens(nn.CrossEntropyLoss()),
    "another index ignored": lambda: tokens(
        partial(functional.cross_entropy, ignore_index=0), ignored=0
    ),
    "class weights": lambda: tokens(nn.CrossEntropyLoss(weight=CLASS_WEIGHTS)),
    "label smoothing": lambda: tokens(
        nn.CrossEntropyLoss(weight=CLASS_WEIGHTS, label_smoothing=0.1)
    ),
    "smoothing without weights": lambda: tokens(
        partial(functional.cross_entropy, label_smoothing=0.2)
    ),
    "negative log likelihood": lambda: tokens(
        nn.NLLLoss(weight=CLASS_WEIGHTS), model=Probabilities
    ),
    "a weight of one's own": lambda: tokens(masked_mean, weight=over_valid),
    "sum": lambda: regression(nn.MSELoss(reduction="sum")),
    "sum of one's own": lambda: regression(
        lambda output, target: ((output - target) ** 2).sum(), weight="sum"
    ),
    "sum over targets": lambda: tokens(partial(functional.cross_entropy, reduction="sum")),
    "mean": lambda: regression(nn.MSELoss()),
    "gpt2": gpt2,
}


def batch_of(problem: Problem, rows: Any) -> Any:
    """These samples, as the model gets them."""
    data = problem.train
    if isinstance(data, tuple):
        return [tensor[rows] for tensor in data]
    return torch.utils.data.default_collate([data[int(row)] for row in rows])


def loss_of(problem: Problem, model: nn.Module, batch: Any) -> Tensor:
    """The problem's loss of one batch, in plain PyTorch."""
    if isinstance(batch, dict):
        return problem.loss(model(**batch), batch)
    *inputs, target = batch
    return problem.loss(model(*inputs), target)


def plain_loop(
    problem: Problem,
    batch: int,
    epochs: int,
    seed: int,
    optimizer: Callable[[Any], torch.optim.Optimizer],
) -> nn.Module:
    """Train by big batches alone, in the trainer's order."""
    torch.manual_seed(seed)
    model = problem.model()
    steps = optimizer(model.parameters())
    for epoch in range(1, epochs + 1):
        order = torch.from_numpy(epoch_order(seed, epoch, N)) if batch < N else torch.arange(N)
        for rows in order.split(batch):
            steps.zero_grad()
            loss_of(problem, model, batch_of(problem, rows)).backward()
            steps.step()
    return model
