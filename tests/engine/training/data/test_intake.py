"""Data as people have them, ragged, named, of images: they train as in a plain loop."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from intake import BatchEncoding, HfDataset, Images, Lstm, padded, sequences
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_sequence
from torch.utils.data import DataLoader, IterableDataset

from engine import Problem
from engine.problem import ProblemError
from engine.problems.trial import try_out
from engine.settings import FULL, DataOn, LossKind, VariantSettings
from engine.training.data.moving import moved
from engine.training.data.opening import open_source
from engine.training.schedule import epoch_order
from engine.training.trainer import Trainer

CPU = torch.device("cpu")
SEED = 3


def trained(problem: Problem, **settings: Any) -> Tensor:
    """The weights after an epoch."""
    micro_batch = settings.pop("micro_batch", None)
    workers = settings.pop("loader_workers", 0)
    trainer = Trainer(
        problem,
        VariantSettings(lr=0.1, **settings),
        SEED,
        CPU,
        micro_batch=micro_batch,
        loader_workers=workers,
    )
    while trainer.epoch < 1 or not trainer.at_epoch_end:
        trainer.advance(100)
    return torch.from_numpy(trainer.weights()).double()


def plain(
    model: nn.Module, samples: list[Any], batch: int, loss_of: Callable[[nn.Module, Any], Tensor]
) -> Tensor:
    """The weights after an epoch of a plain loop over lists of samples."""
    order = epoch_order(SEED, 1, len(samples))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for start in range(0, len(samples), batch):
        optimizer.zero_grad()
        loss_of(model, [samples[k] for k in order[start : start + batch]]).backward()
        optimizer.step()
    return torch.cat([each.detach().flatten() for each in model.parameters()]).double()


# --- Ragged samples -----------------------------------------------------------------------------


def ragged(**more: Any) -> Problem:
    return Problem(train=sequences(), model=Lstm, loss=functional.mse_loss, collate=padded, **more)


def lstm_loss(model: nn.Module, samples: list[Any]) -> Tensor:
    x, lengths, target = padded(samples)
    return functional.mse_loss(model(x, lengths), target)


@pytest.mark.parametrize(
    "cut",
    [{"batch_size": 8}, {"batch_size": 4, "accumulation_steps": 2},
     {"batch_size": 8, "micro_batch": 3}, {"batch_size": 8, "loader_workers": 1}],
    ids=["whole", "accumulated", "in pieces", "loaded"],
)  # fmt: skip
def test_an_lstm_on_ragged_sequences(cut: dict[str, Any]) -> None:
    torch.manual_seed(SEED)
    expected = plain(Lstm(), sequences(), 8, lstm_loss)
    torch.testing.assert_close(trained(ragged(), **cut), expected, rtol=0, atol=1e-7)


def test_ragged_batches_are_audited_by_their_samples() -> None:
    """Slices of a padded batch, steps first, would be other samples."""

    def steps_first(samples: Any) -> Any:
        x, lengths, target = padded(samples)
        return x.transpose(0, 1), lengths, target

    class StepsFirst(Lstm):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            return super().forward(x.transpose(0, 1), lengths)

    problem = Problem(
        train=sequences(), model=StepsFirst, loss=functional.mse_loss, collate=steps_first
    )
    audit = try_out(problem, SEED, CPU).audit
    assert audit is not None
    assert audit.kind is LossKind.EXACT


def test_a_collate_that_draws_at_random_cannot_be_compared() -> None:
    def masked(samples: Any) -> Any:
        x, lengths, target = padded(samples)
        return x * (torch.rand(x.shape) > 0.5), lengths, target

    problem = Problem(train=sequences(), model=Lstm, loss=functional.mse_loss, collate=masked)
    audit = try_out(problem, SEED, CPU).audit
    assert audit is not None
    assert audit.kind is LossKind.UNKNOWN


@pytest.mark.parametrize("named", [False, True], ids=["tuple", "mapping"])
def test_tensors_are_collated_too(named: bool) -> None:
    """A collate that is given is called, whatever the data."""
    x, y = torch.arange(6.0).reshape(6, 1), torch.zeros(6, 1)
    calls: list[Any] = []

    def collate(samples: list[Any]) -> Any:
        calls.append(samples[0])
        return torch.utils.data.default_collate(samples)

    data: Any = {"input": x, "target": y} if named else (x, y)
    source = open_source(data, CPU, seed=0, data_on=DataOn.AUTO, loader_workers=0, collate=collate)
    batch = source.pick(np.array([1, 4]))
    assert torch.equal(batch["input" if named else 0], x[[1, 4]])
    assert len(calls) == 1
    with pytest.raises(ProblemError, match="read sample by sample"):
        open_source(data, CPU, seed=0, data_on=DataOn.DEVICE, loader_workers=0, collate=collate)


def test_ragged_samples_without_collate_say_what_to_give() -> None:
    problem = Problem(train=sequences(), model=Lstm, loss=functional.mse_loss)
    with pytest.raises(ProblemError, match=r"equal size.*give Problem\(collate=…\)"):
        try_out(problem, SEED, CPU)
    one = Problem(
        train=sequences(),
        model=Lstm,
        loss=functional.mse_loss,
        collate=lambda samples: samples[0][0],
    )
    with pytest.raises(ProblemError, match=r"collate must return a tuple .* not Tensor"):
        try_out(one, SEED, CPU)
    with pytest.raises(ProblemError, match="collate must be a function of a list of samples"):
        Problem(train=sequences(), model=Lstm, collate=3)  # type: ignore[arg-type]


# --- Names --------------------------------------------------------------------------------------


class Classifier(nn.Module):
    """Returns an object, as models of transformers do."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(10, 3)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor | None = None
    ) -> Any:
        mask = attention_mask[..., None]
        logits = (self.table(input_ids) * mask).sum(1) / mask.sum(1)
        loss = None if labels is None else functional.cross_entropy(logits, labels)
        return BatchEncoding({"loss": loss, "logits": logits})


ROWS = [
    {"text": f"row {k}", "input_ids": [k % 10, k * 3 % 10, 1], "attention_mask": [1, 1, k % 2],
     "labels": k % 3}
    for k in range(20)
]  # fmt: skip
TENSORS = {
    name: torch.tensor([row[name] for row in ROWS])
    for name in ("input_ids", "attention_mask", "labels")
}
NAMED: dict[str, Any] = {
    "a Dataset of lists": HfDataset(ROWS),
    "a list of dicts": ROWS,
    "a list of mappings": [BatchEncoding(row) for row in ROWS],
    "a mapping of tensors": BatchEncoding(TENSORS),
    "a dict of arrays": {name: each.numpy() for name, each in TENSORS.items()},
}


@pytest.mark.parametrize("form", NAMED)
@pytest.mark.parametrize("micro_batch", [None, 3])
def test_batches_with_names(form: str, micro_batch: int | None) -> None:
    def loss_of(model: nn.Module, samples: list[Any]) -> Tensor:
        named = {name: torch.tensor([row[name] for row in samples]) for name in TENSORS}
        loss: Tensor = model(**named)["loss"]
        return loss

    problem = Problem(train=NAMED[form], model=Classifier, validation=NAMED[form])
    torch.manual_seed(SEED)
    expected = plain(Classifier(), ROWS, 8, loss_of)
    found = trained(problem, batch_size=8, micro_batch=micro_batch)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    facts = try_out(problem, SEED, CPU)
    assert (facts.n, facts.validation_n) == (20, 20)


def test_collate_may_return_any_mapping() -> None:
    def collate(samples: Any) -> BatchEncoding:
        return BatchEncoding(
            {name: torch.tensor([row[name] for row in samples]) for name in TENSORS}
        )

    problem = Problem(train=HfDataset(ROWS), model=Classifier, collate=collate)
    found = trained(problem, batch_size=8)
    torch.testing.assert_close(found, trained(Problem(train=ROWS, model=Classifier), batch_size=8))


def test_a_mapping_of_tensors_may_lie_on_the_device() -> None:
    problem = Problem(train=TENSORS, model=Classifier)
    settings = VariantSettings(batch_size=FULL)
    trainer = Trainer(problem, settings, SEED, CPU, data_on=DataOn.DEVICE)
    assert trainer.n == problem.n == 20
    trainer.advance(1)


# --- Images -------------------------------------------------------------------------------------


def pictures(data: Any) -> Problem:
    return Problem(
        train=data,
        model=lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * 6 * 6, 3)),
        loss=functional.cross_entropy,
    )


def test_images_become_channels_of_numbers_up_to_one() -> None:
    def loss_of(model: nn.Module, samples: list[Any]) -> Tensor:
        x = torch.stack([torch.from_numpy(pixels).permute(2, 0, 1) / 255 for pixels, _ in samples])
        return functional.cross_entropy(model(x), torch.tensor([each for _, each in samples]))

    data = Images()
    torch.manual_seed(SEED)
    model = pictures(data).model()
    expected = plain(model, list(zip(data.pixels, data.classes, strict=True)), 8, loss_of)
    found = trained(pictures(data), batch_size=8)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@pytest.mark.integration
def test_images_of_pillow_are_taken_like_those_of_the_tests() -> None:
    image = pytest.importorskip("PIL.Image")
    found = trained(pictures(Images(make=image.fromarray)), batch_size=8)
    assert torch.equal(found, trained(pictures(Images()), batch_size=8))


def test_images_of_different_sizes_say_what_to_give() -> None:
    with pytest.raises(ProblemError, match=r"equal size.*give Problem\(collate=…\)"):
        try_out(pictures(Images(ragged=True)), SEED, CPU)


# --- What is no data set ------------------------------------------------------------------------


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Any:
        return iter([(torch.ones(2), 1.0)])

    def __len__(self) -> int:
        return 1


class Lengthless:
    def __getitem__(self, index: int) -> Any:
        return torch.ones(2), 1.0


class Sets(dict[str, Any]):
    """A DatasetDict."""


LOADER = DataLoader(sequences(), batch_size=4, collate_fn=padded)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (LOADER, r"not be a DataLoader.*loader\.dataset, and its .*collate=loader\.collate_fn"),
        (DataLoader(Images()), r"pass the DataLoader's dataset, loader\.dataset$"),
        (Stream(), r"must not be a Stream, which is read in an order of its own.* map-style"),
        (Lengthless(), "a Dataset with a length, not Lengthless"),
        (torch.ones(3), "a tuple of inputs and target, not a single Tensor"),
        (np.ones(3), "a tuple of inputs and target, not a single ndarray"),
        (Sets(train=HfDataset(ROWS), test=HfDataset(ROWS)), "several data sets: 'train', 'test'"),
        ({}, "several data sets: nothing"),
        ({"x": torch.ones(3), "y": torch.ones(4)}, "must have the same length, not 3, 4"),
        ({"x": torch.ones(3), "y": ["a", "b", "c"]}, r"train\['y'\] must be a tensor or an array"),
    ],
)  # fmt: skip
def test_what_is_no_data_set_says_what_to_give(data: Any, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        Problem(train=data, model=Classifier)
    made = Problem(train=lambda: data, model=Classifier)
    with pytest.raises(ProblemError, match=message.replace(r"train\[", r"data\[")):
        Trainer(made, VariantSettings(batch_size=2), SEED, CPU)


def test_a_sample_without_a_value_is_named() -> None:
    problem = Problem(train=HfDataset([{**row, "label": None} for row in ROWS]), model=Classifier)
    with pytest.raises(ProblemError, match="'label' of a sample is None"):
        try_out(problem, SEED, CPU)


# --- To the device ------------------------------------------------------------------------------


class Pair(NamedTuple):
    x: Tensor
    y: Tensor


class Graph:
    """A batch of another library, which moves itself."""

    device = "cpu"

    def to(self, device: torch.device) -> "Graph":
        self.device = str(device)
        return self


def test_batches_move_whatever_they_are_made_of() -> None:
    device = torch.device("meta")
    packed = pack_sequence([torch.ones(3, 2), torch.ones(1, 2)])
    pair, named, graph, text = moved(
        (Pair(torch.ones(1), torch.ones(2)), BatchEncoding({"a": [torch.ones(1)]}), Graph(), "x"),
        device,
    )
    assert isinstance(pair, Pair)
    assert pair.x.device == pair.y.device == named["a"][0].device == device
    assert type(named) is dict
    assert (graph.device, text) == ("meta", "x")
    on_device = moved(packed, device)
    assert on_device.data.device == device
    assert on_device.batch_sizes.device == CPU


class Watched(Tensor):
    """Memory that says whether it is pinned, and notes how it is copied."""

    pinned = False
    copies: list[bool] = []  # noqa: RUF012

    def is_pinned(self, *_: Any) -> bool:  # type: ignore[override]
        return self.pinned

    def to(self, *args: Any, non_blocking: bool = False, **kwargs: Any) -> Any:
        Watched.copies.append(non_blocking)
        return super().to(*args, **kwargs)


@pytest.mark.parametrize("pinned", [False, True])
def test_only_pinned_memory_is_copied_while_work_goes_on(
    pinned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watched, "pinned", pinned)
    monkeypatch.setattr(Watched, "copies", [])
    tensor = torch.ones(2).as_subclass(Watched)
    moved([tensor], torch.device("meta"))
    assert Watched.copies == [pinned]
    assert moved(tensor, CPU) is tensor
