"""Optimisers as they are typed: names, and literal arguments by name."""

import pytest

from engine.settings import SettingsError, VariantSettings, parse_optimizer
from engine.settings.optimizer import split_outside_brackets


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("sgd", "sgd", {}),
        (" AdamW ", "adamw", {}),
        ("adamw()", "adamw", {}),
        ("adamw(weight_decay=0.1, betas=(0.9, 0.95))", "adamw",
         {"weight_decay": 0.1, "betas": (0.9, 0.95)}),
        ("sgd(nesterov=True, momentum=.9,)", "sgd", {"nesterov": True, "momentum": 0.9}),
        ("muon(adjust_lr_fn='original', x=None, y=[-1, 2e3])", "muon",
         {"adjust_lr_fn": "original", "x": None, "y": (-1, 2000.0)}),
    ],
)  # fmt: skip
def test_a_name_and_literals_are_read(text: str, name: str, arguments: dict[str, object]) -> None:
    assert parse_optimizer(text) == (name, arguments)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("adamw(0.1)", "by name"),
        ("adamw(**{})", "by name"),
        ("adamw(weight_decay=)", "by name"),
        ("adamw(a=1)(b=2)", "by name"),
        ("adamw(a=1); f(b=2)", "by name"),
        ("adamw(a=__import__('os'))", "literal"),
        ("adamw(weight_decay=1e999)", "finite"),
        ("adamw(betas=(0.9, -1e999))", "finite"),
        ("adamw(a=f)", "literal"),
        ("adamw(a=(1, [2, {3: 4}]))", "literal"),
        ("adamw(a=1j)", "literal"),
        ("adamw(a=1, a=2)", "twice"),
        ("adamw(lr=1)", "--lr"),
        ("adamw(params=1)", "parameters"),
        ("adamw(a=" + "(" * 900 + ")", ""),
        ("adamw(a='" + "x" * 2000 + "')", "1,000 characters"),
    ],
)
def test_anything_else_is_refused_and_never_run(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match="(?s).*" + said):
        VariantSettings(optimizer=text)


def test_momentum_given_twice_is_refused() -> None:
    with pytest.raises(SettingsError, match="twice"):
        VariantSettings(optimizer="sgd(momentum=0.5)", momentum=0.9)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a,b", ["a", "b"]),
        ("a(x=(1, 2), y=[3, 4]),sgd, b", ["a(x=(1, 2), y=[3, 4])", "sgd", " b"]),
        ("a(x='(,'),b", ["a(x='(,')", "b"]),
        ("a),b", ["a)", "b"]),
        ("", [""]),
        ("it's,mine", ["it's", "mine"]),
    ],
)
def test_commas_inside_brackets_separate_nothing(text: str, parts: list[str]) -> None:
    assert split_outside_brackets(text) == parts
