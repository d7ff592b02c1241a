"""Advice for another batch size knows the optimiser that it speaks of."""

import pytest

from engine.log.measurements import edge_of_stability
from engine.settings import LrScaling, VariantSettings
from gdtui.lesson.advice import advice, second_moment_decay


@pytest.mark.parametrize(
    ("optimizer", "has", "has_not"),
    [
        ("sgd(nesterov=True)", ["twice the lr, 0.02", "Goyal"], "β₂"),
        ("adamw(betas=(0.9, 0.95))",
         ["√2 times the lr, 0.0141", "β₂ = 0.9025 instead of 0.95", "865 samples"], "Goyal"),
        ("Adam", ["β₂ = 0.998001 instead of 0.999"], "Goyal"),
        ("rmsprop(alpha=0.9)", ["β₂ = 0.81 instead of 0.9"], "Goyal"),
        ("adagrad", ["√2"], "β₂"),
        ("adam(betas='x')", ["√2"], "β₂"),
        ("own(a=1)", ["No rule"], "√2"),
    ],
)  # fmt: skip
def test_the_rule_is_that_of_the_optimiser(optimizer: str, has: list[str], has_not: str) -> None:
    said = advice(VariantSettings(optimizer=optimizer), 0.01, 64)
    assert all(each in said for each in has), said
    assert has_not not in said


def test_a_linear_rule_under_adam_is_pointed_out() -> None:
    settings = VariantSettings(optimizer="adam", lr_scaling=LrScaling.LINEAR)
    assert "rule in force here is that of SGD" in advice(settings, 0.01, 64)


def test_a_half_life_in_samples_is_held() -> None:
    decay = second_moment_decay(VariantSettings(optimizer="adam"))
    assert decay is not None
    assert (decay**2) ** 500 == pytest.approx(decay**1000)


@pytest.mark.parametrize(
    ("settings", "edge"),
    [
        (VariantSettings(), 20.0),
        (VariantSettings(momentum=0.9), 38.0),
        (VariantSettings(optimizer="sgd(momentum=0.9)"), 38.0),
        (VariantSettings(optimizer="sgd(momentum=0.9, nesterov=True)"), 38.0 / 2.8),
        (VariantSettings(optimizer="SGD(weight_decay=0.5)"), 19.5),
        (VariantSettings(optimizer="sgd(maximize=True)"), None),
        (VariantSettings(optimizer="sgd(momentum='x')"), None),
        (VariantSettings(optimizer="adamw(weight_decay=0.1)"), None),
    ],
)
def test_the_edge_of_stability_knows_the_arguments(
    settings: VariantSettings, edge: float | None
) -> None:
    assert edge_of_stability(0.1, settings) == (None if edge is None else pytest.approx(edge))
    assert edge_of_stability(0.0, settings) is None
