"""Settings: lr-scaling rules, their meaning for n samples, names, and what is refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.settings import (
    DEFAULT_BATCH_SIZES,
    FULL,
    BatchSize,
    LrScaling,
    RunSettings,
    SettingsError,
    Variant,
    VariantSettings,
    default_names,
    parse_batch_size,
)


@pytest.mark.parametrize(
    ("batch_size", "lr"), [(32, 0.005), (64, 0.01), (128, 0.02), (256, 0.04), (512, 0.08)]
)
def test_the_lessons_table_of_linear_scaling(batch_size: int, lr: float) -> None:
    assert LrScaling.LINEAR.scale(0.01, 64, batch_size) == pytest.approx(lr, rel=1e-12)


def test_square_root_scaling_and_none() -> None:
    assert LrScaling.SQRT.scale(0.01, 64, 1) == pytest.approx(0.01 / 8)
    assert LrScaling.NONE.scale(0.01, 64, 1) == 0.01


def test_the_rules_come_round() -> None:
    rule = LrScaling.NONE
    seen = [rule := rule.following for _ in range(3)]
    assert seen == [LrScaling.LINEAR, LrScaling.SQRT, LrScaling.NONE]


@given(
    n=st.integers(1, 5000),
    batch_size=st.integers(1, 6000) | st.just(FULL),
    steps=st.integers(1, 64),
    rule=st.sampled_from(list(LrScaling)),
)
def test_the_effective_batch_never_exceeds_the_data(
    n: int, batch_size: int | str, steps: int, rule: LrScaling
) -> None:
    settings = VariantSettings(batch_size=batch_size, accumulation_steps=steps, lr_scaling=rule)  # type: ignore[arg-type]
    resolved = settings.resolve(n)
    nominal = n if batch_size == FULL or batch_size >= n else batch_size * steps  # type: ignore[operator]
    assert resolved.effective_batch == min(nominal, n)
    assert resolved.lr == rule.scale(0.01, 64, resolved.effective_batch)
    if resolved.is_full:
        assert resolved.batch_size == math.ceil(n / steps)


def test_full_in_pieces_is_one_update_of_everything() -> None:
    resolved = VariantSettings(batch_size=FULL, accumulation_steps=5).resolve(2001)
    assert (resolved.batch_size, resolved.accumulation_steps) == (401, 5)
    assert resolved.effective_batch == 2001


def test_a_batch_above_the_data_means_full_but_not_where_it_would_drop_everything() -> None:
    assert VariantSettings(batch_size=5000).resolve(2000).is_full
    with pytest.raises(SettingsError, match="drops all 2,000 samples"):
        VariantSettings(batch_size=5000, drop_last=True).resolve(2000)
    assert VariantSettings(batch_size=2000, drop_last=True).resolve(2000).is_full


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_size": 0},
        {"batch_size": "half"},
        {"lr": 0.0},
        {"lr": math.inf},
        {"lr": math.nan},
        {"momentum": 1.0},
        {"momentum": -0.1},
        {"accumulation_steps": 0},
        {"base_batch": 0},
        {"optimizer": " "},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        VariantSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"pace": 0.0},
        {"pace": math.inf},
        {"seed": -1},
        {"seed": 2**63},
        {"threads": 0},
    ],
)
def test_runs_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    variants = (Variant(name="a", settings=VariantSettings()),)
    with pytest.raises(SettingsError):
        RunSettings(variants=variants, **wrong)  # type: ignore[arg-type]


def test_a_run_needs_variants_with_names_of_their_own() -> None:
    twice = Variant(name="a", settings=VariantSettings())
    with pytest.raises(SettingsError, match="unique name"):
        RunSettings(variants=(twice, twice))
    with pytest.raises(SettingsError, match="no variant"):
        RunSettings(variants=())


def test_names_tell_the_variants_apart() -> None:
    assert default_names(DEFAULT_BATCH_SIZES) == ("Batch GD", "Mini-batch", "SGD")
    assert default_names((32, 64, 32, 1, 1)) == (
        "Mini-batch 32",
        "Mini-batch 64",
        "Mini-batch 32 #2",
        "SGD",
        "SGD #2",
    )


@pytest.mark.parametrize(("text", "size"), [("full", FULL), (" FULL ", FULL), ("64", 64), ("1", 1)])
def test_batch_sizes_as_typed(text: str, size: int | str) -> None:
    assert parse_batch_size(text) == size


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "all", "6_4x"])
def test_batch_sizes_that_are_none(text: str) -> None:
    with pytest.raises(SettingsError, match="a whole number from 1, or full"):
        parse_batch_size(text)


def test_several_devices_take_the_variants_in_turn() -> None:
    variants = tuple(Variant(name=name, settings=VariantSettings()) for name in "abc")
    settings = RunSettings(variants=variants, device="cuda:0, cuda:1")
    assert [settings.device_of(place) for place in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert RunSettings(variants=variants).device_of(2) == "auto"


@pytest.mark.parametrize(
    "wrong",
    [
        {"micro_batch": 0},
        {"loader_workers": -1},
        {"loader_workers": 10**6},
        {"validate_every": 0},
        {"checkpoint_every": -1.0},
        {"checkpoint_every": math.inf},
        {"checkpoint_disk": 0},
    ],
)
def test_how_to_train_that_makes_no_sense(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match="from"):
        RunSettings(variants=(Variant(name="a", settings=VariantSettings()),), **wrong)  # type: ignore[arg-type]


@given(
    n=st.integers(1, 300),
    size=st.integers(1, 300) | st.just(FULL),
    steps=st.integers(1, 9),
    share=st.floats(0, 1),
)
def test_in_smaller_batches_the_effective_batch_is_the_same(
    n: int, size: BatchSize, steps: int, share: float
) -> None:
    settings = VariantSettings(batch_size=size, accumulation_steps=steps, lr=0.3)
    before = settings.resolve(n)
    most = max(1, int(share * before.batch_size))
    after = settings.in_batches_of(most, n)
    assert after.resolve(n).batch_size <= most
    assert after.resolve(n).effective_batch == before.effective_batch
    assert after.lr == settings.lr
