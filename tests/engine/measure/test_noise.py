"""The noise scale against the exact one from per-sample gradients, taken with torch.func."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.log.measurements import NoiseScale, SmoothedNoise
from engine.measure.gradients import gradient_sums
from engine.measure.model_copy import Probe
from engine.measure.noise import GradientSums, noise_scale, noise_scale_of_sums
from engine.measure.steps import finish
from engine.problems import registry
from engine.settings import VariantSettings
from engine.training.trainer import Trainer

SEEDS = 8
CPU = torch.device("cpu")


def trained(name: str, seed: int, epochs: int) -> Trainer:
    """A model some way into its training, at the lesson's middle batch size."""
    trainer = Trainer(registry.load(name, seed), VariantSettings(lr=0.1), seed, CPU)
    while trainer.epoch < epochs:
        trainer.advance(1000)
    return trainer


def gradients_of_samples(trainer: Trainer, samples: slice = slice(None)) -> np.ndarray:
    """Each sample's gradient at the weights as they are: (n, parameters)."""
    model = trainer.model.eval()
    weights = {name: parameter.detach() for name, parameter in model.named_parameters()}

    def loss(weights: dict[str, Tensor], *sample: Tensor) -> Tensor:
        *inputs, target = [tensor[None] for tensor in sample]
        return trainer.problem.loss(
            torch.func.functional_call(model, weights, tuple(inputs)), target
        )

    data = tuple(tensor[samples] for tensor in trainer.problem.train)
    parts = torch.func.vmap(torch.func.grad(loss), in_dims=(None, *[0] * len(data)))(weights, *data)
    return torch.cat([part.flatten(1) for part in parts.values()], dim=1).double().numpy()


def exact(gradients: np.ndarray) -> float:
    mean = gradients.mean(axis=0)
    return float(((gradients - mean) ** 2).sum() / len(gradients) / (mean @ mean))


def exact_of(trainer: Trainer) -> float:
    """The exact value, from 200 samples at a time: all gradients of `digits` take 200 MB."""
    total, squares = np.zeros(1), 0.0
    for first in range(0, trainer.n, 200):
        gradients = gradients_of_samples(trainer, slice(first, first + 200))
        total = total + gradients.sum(axis=0)
        squares += float((gradients**2).sum())
    mean = total / trainer.n
    return float((squares / trainer.n - mean @ mean) / (mean @ mean))


def estimated(trainer: Trainer, count: int, batch_size: int, seed: int) -> NoiseScale:
    """The noise from `count` batches of a random order, taken with the probe, as training does."""
    order = np.random.default_rng(seed).permutation(trainer.n)
    sums = finish(gradient_sums(Probe.of(trainer, order), count, batch_size))
    return noise_scale_of_sums(sums, batch_size, trainer.n)


@pytest.mark.parametrize("name", ["synthetic", "digits"])
@pytest.mark.parametrize("epochs", [0, 3])
def test_the_exact_value_lies_in_the_interval(name: str, epochs: int) -> None:
    """It does for 6 seeds of 8 at least: by chance alone fewer would be 1 case in 170.

    From the whole data in 64 pieces, and from 512 consecutive batches of one sample.
    """
    hits = [0, 0]
    for seed in range(SEEDS):
        trainer = trained(name, seed, epochs)
        value = exact_of(trainer)
        for how, (count, size) in enumerate([(64, trainer.n // 64), (512, 1)]):
            found = estimated(trainer, count, size, seed)
            hits[how] += found.low <= value <= found.high
            assert found.is_reliable
    assert min(hits) >= 6, hits


def test_gradients_that_are_not_kept_give_the_same_to_rounding() -> None:
    trainer = trained("digits", 0, 1)
    probe = Probe.of(trainer, np.arange(trainer.n))
    kept, computed_twice = (
        noise_scale_of_sums(finish(gradient_sums(probe, 16, 80, kept_bytes=room)), 80, trainer.n)
        for room in (1 << 26, 0)
    )
    for name in ("value", "low", "high", "trace", "gradient_squared"):
        assert getattr(computed_twice, name) == pytest.approx(getattr(kept, name), rel=1e-4), name


def test_all_samples_one_by_one_give_the_exact_value() -> None:
    trainer = trained("synthetic", 0, 1)
    gradients = gradients_of_samples(trainer)
    n = len(gradients)
    # The covariance of a finite set has n − 1 below it, as sampling without replacement has.
    assert noise_scale(gradients, 1, n).value == pytest.approx(
        exact(gradients) * n / (n - 1), rel=1e-9
    )
    assert exact_of(trainer) == pytest.approx(exact(gradients), rel=1e-9)


def test_both_terms_are_unbiased_for_a_few_batches_of_a_finite_set() -> None:
    generator = np.random.default_rng(0)
    gradients = generator.normal(size=(40, 3)) + 0.5
    trace = gradients.var(axis=0, ddof=1).sum()
    squared = (gradients.mean(axis=0) ** 2).sum()
    found = []
    for _ in range(4000):
        batches = gradients[generator.permutation(40)[:30]].reshape(6, 5, 3).mean(axis=1)
        found.append(noise_scale(batches, 5, 40))
    assert np.mean([f.trace for f in found]) == pytest.approx(trace, rel=0.02)
    assert np.mean([f.gradient_squared for f in found]) == pytest.approx(squared, rel=0.03)


def test_pure_noise_has_no_reliable_scale() -> None:
    gradients = np.random.default_rng(1).normal(size=(64, 20))
    found = noise_scale(gradients, 1, 10**6)
    assert found.high == math.inf
    assert found.low > 0
    assert not found.is_reliable


def test_samples_that_all_agree_have_no_noise() -> None:
    found = noise_scale(np.ones((8, 5)), 4, 100)
    assert (found.value, found.low, found.high) == (0, 0, 0)
    assert found.signal_to_noise(1, 100) == math.inf


def test_a_gradient_of_zero_has_no_scale_at_all() -> None:
    found = noise_scale(np.zeros((8, 5)), 4, 100)
    assert (found.value, found.low, found.high) == (math.inf, 0, math.inf)
    assert not found.is_reliable


def test_signal_to_noise_grows_with_the_batch_and_is_infinite_at_full() -> None:
    generator = np.random.default_rng(0)
    gradients = generator.normal(size=(50, 4)) + 1
    found = noise_scale(gradients, 1, 50)
    errors = [
        gradients[generator.permutation(50)[:10]].mean(axis=0) - gradients.mean(axis=0)
        for _ in range(8000)
    ]
    measured = (gradients.mean(axis=0) ** 2).sum() / np.mean([(error**2).sum() for error in errors])
    assert found.signal_to_noise(10, 50) == pytest.approx(measured, rel=0.03)
    assert found.signal_to_noise(50, 50) == math.inf


def test_it_takes_four_batches() -> None:
    with pytest.raises(ValueError, match="at least 4 batches, not of 3"):
        noise_scale(np.zeros((3, 5)), 1, 100)


@pytest.mark.parametrize(
    ("wrong", "count"),
    [({3: math.nan}, 1), ({0: math.inf}, 1), ({2: -math.inf, 5: math.nan, 7: math.nan}, 3)],
)
def test_a_gradient_that_is_not_finite_is_counted_and_is_no_noise_of_zero(
    wrong: dict[int, float], count: int
) -> None:
    gradients = np.random.default_rng(0).normal(size=(8, 5))
    for row, value in wrong.items():
        gradients[row, 1] = value
    found = noise_scale(gradients, 4, 100)
    assert (found.not_finite, found.batches) == (count, 8)
    assert not found.is_finite
    assert not found.is_reliable
    assert all(math.isnan(each) for each in (found.value, found.low, found.high))
    assert math.isnan(found.signal_to_noise(1, 100))
    assert math.isnan(found.signal_to_noise(100, 100)), "of the full batch, too"
    assert all(map(math.isnan, found.signal_to_noise_interval(100, 100)))


def test_sums_that_overflow_are_not_finite_though_no_gradient_is_wrong() -> None:
    found = noise_scale(np.full((8, 5), 1e160), 4, 100)
    assert (found.is_finite, found.not_finite) == (False, 8)
    sums = GradientSums(squares=np.full(8, 1e300), with_sum=np.full(8, np.inf))
    assert noise_scale_of_sums(sums, 4, 100).not_finite == 0
    assert not noise_scale_of_sums(sums, 4, 100).is_finite


def test_a_measurement_that_is_not_finite_is_left_out_of_the_average() -> None:
    draw = np.random.default_rng(0)
    first, last = (noise_scale(draw.normal(size=(16, 3)) + 2, 4, 400) for _ in range(2))
    gradients = draw.normal(size=(16, 3))
    gradients[0, 0] = math.nan
    wrong = noise_scale(gradients, 4, 400)
    with_it, without = SmoothedNoise(), SmoothedNoise()
    with_it.add(first)
    assert not with_it.add(wrong).is_finite, "the latest is said as it is"
    without.add(first)
    assert with_it.add(last) == without.add(last)
