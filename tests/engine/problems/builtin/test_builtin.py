"""The built-in problems: their descriptions hold, and they are learned as one would expect."""

import sys
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.problem import Problem
from engine.problems import registry
from engine.problems.handover.description import describe
from engine.problems.parts.transformer import CONTEXT, CharTransformer
from engine.problems.registry import LISTINGS
from engine.settings import BatchSize, SettingsError, VariantSettings
from engine.training.trainer import Trainer

CPU = torch.device("cpu")
INCLUDED = [listing.name for listing in LISTINGS if not listing.needs_file]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small models are slower on several, and much slower where other tests run beside them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def train(problem: Problem, size: BatchSize, updates: int | None = None) -> Trainer:
    """Train one variant by the problem's own defaults: so many updates, or all epochs."""
    defaults = problem.defaults
    settings = VariantSettings(
        batch_size=size, lr=defaults["lr"], optimizer=defaults.get("optimizer", "sgd")
    )
    trainer = Trainer(problem, settings, 0, CPU)
    while trainer.updates < (updates or sys.maxsize) and trainer.epochs_done < defaults["epochs"]:
        trainer.advance(updates or 100)
    return trainer


@pytest.mark.parametrize("name", INCLUDED)
def test_what_the_listing_says_is_what_is_loaded(name: str) -> None:
    listing = registry.find(name)
    problem = registry.load(name, 0)
    assert listing.samples in (None, problem.n)
    assert problem.defaults == listing.defaults
    *inputs, target = problem.train
    output = problem.model()(*(part[:1] for part in inputs))  # a batch of one keeps its dimensions
    assert problem.loss(output, target[:1]).shape == ()


@pytest.mark.parametrize("name", ["breast-cancer", "digits", "digits-cnn"])
def test_a_part_is_held_out_and_no_sample_of_it_is_trained_on(name: str) -> None:
    problem = registry.load(name, 0)
    rows = {tensor.numpy().tobytes() for tensor in problem.validation[0]}
    seen = {tensor.numpy().tobytes() for tensor in problem.train[0]}
    assert len(problem.validation[0]) / problem.n == pytest.approx(0.25, abs=0.01)
    assert not rows & seen


@pytest.mark.parametrize("name", ["breast-cancer", "digits"])
def test_classes_are_held_out_in_proportion(name: str) -> None:
    problem = registry.load(name, 3)
    train, held_out = (
        part[1].long().bincount() / len(part[1]) for part in (problem.train, problem.validation)
    )
    assert torch.allclose(train, held_out, atol=0.005)


def test_measurements_are_standardised_by_the_training_part() -> None:
    problem = registry.load("breast-cancer", 0)
    inputs = problem.train[0]
    assert inputs.mean(0).abs().max() < 1e-5
    assert (inputs.std(0, correction=0) - 1).abs().max() < 1e-5
    assert problem.validation[0].mean(0).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["breast-cancer", "digits", "digits-cnn"])
def test_the_seed_fixes_the_split(name: str) -> None:
    one, same, other = (registry.load(name, seed).train[0] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("name", "size", "accuracy"),
    [("breast-cancer", 32, 0.95), ("digits", 32, 0.95), ("digits-cnn", 32, 0.97)],
)
def test_it_is_learned_as_a_user_would_expect(name: str, size: BatchSize, accuracy: float) -> None:
    trainer = train(registry.load(name, 0), size)
    assert size in trainer.problem.defaults["batch_sizes"]
    assert trainer.validate().metrics["accuracy"] >= accuracy


def test_the_tiny_transformer_beats_a_bigram_model_of_the_same_text() -> None:
    problem = registry.load("char-lm", 0)
    assert train(problem, 16, updates=160).validate().loss < bigram_loss(problem)


def bigram_loss(problem: Problem) -> float:
    """Cross-entropy of the held-out part under pair counts, each plus one (Laplace), in nats."""
    inputs, target = (tensor.flatten() for tensor in problem.train)
    characters = problem.model().head.out_features
    counts = torch.ones(characters, characters, dtype=torch.float64)
    counts.index_put_((inputs, target), torch.ones(1, dtype=torch.float64), accumulate=True)
    held_out, following = (tensor.flatten() for tensor in problem.validation)
    return functional.nll_loss(
        (counts / counts.sum(1, keepdim=True)).log()[held_out], following
    ).item()


def test_no_position_sees_the_character_that_it_is_to_predict() -> None:
    torch.manual_seed(0)
    model = CharTransformer(20).eval()
    text = torch.randint(20, (1, CONTEXT))
    changed = text.clone()
    changed[0, 40] = (text[0, 40] + 1) % 20
    one, other = model(text), model(changed)
    assert torch.allclose(one[0, :40], other[0, :40], atol=1e-6)
    assert not torch.allclose(one[0, 40:], other[0, 40:], atol=1e-3)


@pytest.mark.parametrize("name", INCLUDED)
def test_what_only_the_worker_calls_can_be_sent_to_it(name: str) -> None:
    """Model, loss and metrics are sent, not the data: a file is read once for all workers."""
    if name in ("synthetic", "quadratic"):
        pytest.skip("is made by each worker, in a millisecond")
    problem = registry.load(name, 0)
    description = describe(problem)
    assert description is not None
    sent = msgspec.msgpack.encode(description)
    assert len(sent) < 4096
    again = msgspec.msgpack.decode(sent, type=type(description)).problem(problem.train, None)
    assert (again.model, again.loss, again.metrics) == (
        problem.model,
        problem.loss,
        problem.metrics,
    )


@pytest.mark.parametrize("name", ["mnist", "table", "arrays"])
def test_a_problem_made_of_a_file_asks_for_one(name: str) -> None:
    with pytest.raises(SettingsError, match="--data FILE"):
        registry.load(name, 0)


@pytest.mark.parametrize("name", ["breast-cancer", "digits", "digits-cnn"])
def test_without_scikit_learn_the_command_that_installs_it_is_told(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [loaded for loaded in sys.modules if loaded.partition(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(SettingsError) as caught:
        registry.load(name, 0)
    assert str(caught.value) == (
        f"problem {name} needs scikit-learn: python -m pip install scikit-learn pandas pyarrow"
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_the_quadratic_has_its_curvatures_and_breaks_beyond_2_over_the_largest(seed: int) -> None:
    problem = registry.load("quadratic", seed)
    inputs, _ = problem.train
    curvatures = torch.linalg.eigvalsh(inputs.double().T @ inputs.double() / problem.n)
    assert curvatures.tolist() == pytest.approx([1, 15], rel=1e-6)
    for lr, breaks in ((0.13, False), (0.14, True)):
        trainer = Trainer(problem, VariantSettings(batch_size="full", lr=lr), seed, CPU)
        chunks = [np.frombuffer(trainer.advance(1).losses, "<f4") for _ in range(40)]
        assert (float(chunks[-1][-1]) > float(chunks[0][0])) is breaks
