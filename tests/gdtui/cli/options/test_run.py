"""Options as typed become the settings that were meant, or one line that says what is allowed."""

import click
import pytest
from command_lines import context

from engine.settings import LrScaling, LrSchedule, Precision, SettingsError, VariantSettings
from gdtui.cli.command import explain
from gdtui.cli.main import main
from gdtui.cli.options.completion import words
from gdtui.cli.options.settings import RunOptions, read_options


def read(line: str) -> RunOptions:
    return read_options(context(line))


def complaint(line: str) -> str:
    """The complaint about a wrong option, by the parser or by the settings."""
    with pytest.raises((click.UsageError, SettingsError)) as error:
        read(f"train {line}")
    is_parsers = isinstance(error.value, click.UsageError)
    return explain(error.value) if is_parsers else str(error.value)


def test_defaults_are_the_lessons_three_variants() -> None:
    settings = read("").settings
    assert [variant.name for variant in settings.variants] == ["Batch GD", "Mini-batch", "SGD"]
    assert [variant.settings.batch_size for variant in settings.variants] == ["full", 64, 1]
    assert {variant.settings.lr for variant in settings.variants} == {0.01}
    assert (settings.epochs, settings.seed, settings.device) == (20, 0, "auto")


def test_one_value_is_for_all_and_several_are_for_one_each() -> None:
    first, second = read(
        "--batch-sizes 512,64 --accumulation 1,8 --lr 0.1 --optimizer sgd,adam"
    ).settings.variants
    assert (first.settings.accumulation_steps, second.settings.accumulation_steps) == (1, 8)
    assert (first.settings.optimizer, second.settings.optimizer) == ("sgd", "adam")
    assert first.settings.lr == second.settings.lr == 0.1


def test_everything_a_variant_can_be_told() -> None:
    (variant,) = read(
        "--batch-sizes 32 --lr 1e-3 --lr-scaling sqrt --base-batch 128 --momentum 0.9 --drop-last "
        "--names A"
    ).settings.variants
    assert variant.name == "A"
    assert variant.settings.lr_scaling is LrScaling.SQRT
    assert (variant.settings.base_batch, variant.settings.momentum) == (128, 0.9)
    assert variant.settings.drop_last


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", 1.0),
        ("train", None),
        ("--pace free", None),
        ("train --pace 0.5", 0.5),
        ("--pace FREE", None),
    ],
)
def test_pace_is_what_was_typed_else_the_commands_own(line: str, expected: float | None) -> None:
    assert read(line).settings.pace == expected


@pytest.mark.parametrize(
    ("line", "expected"), [("", True), ("--measuring off", False), ("--measuring ON", True)]
)
def test_measuring_is_on_unless_switched_off(line: str, expected: bool) -> None:
    assert read(line).settings.measuring is expected


def test_a_batch_above_all_samples_is_full_and_said() -> None:
    options = read("--batch-sizes 2000,2001")
    assert options.settings.variants[1].settings.resolve(2000).is_full
    assert len(options.notes) == 1
    assert "2,001" in options.notes[0]


@pytest.mark.parametrize(
    "name", ["auto", "cpu", "cuda", "cuda:1", "mps", "CPU", "MIG-9a1c2d3e", "gpu-5ebc"]
)
def test_devices_that_may_be_there(name: str) -> None:
    assert read(f"--device {name}").settings.device == name.lower()


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("--batch-sizes full,,1", "a whole number from 1, or full"),
        ("--batch-sizes 0", "a whole number from 1, or full"),
        ("--batch-sizes 2001 --drop-last", "at most 2,000"),
        ("--lr x", "a number"),
        ("--lr 0", "a finite number above 0"),
        ("--lr=-1", "a finite number above 0"),
        ("--lr nan", "a finite number above 0"),
        ("--lr 1,2", "one for all, or one for each"),
        ("--lr-scaling cubic", "none, linear, sqrt"),
        ("--lr-scaling none,none", "one for all, or one for each"),
        ("--base-batch 0", "a whole number from 1"),
        ("--accumulation 1.5", "a whole number from 1"),
        ("--accumulation 1,2,3,4", "one for all, or one for each"),
        ("--momentum 1", "from 0 up to, not including, 1"),
        ("--optimizer a-b", "torch.optim"),
        ("--names a,b", "one for each"),
        ("--names a,a,b", "a unique name"),
        ("--names a,b,c\x1b", "printable"),
        ("--problem cifar", "choose from synthetic"),
        ("--epochs 0", "a whole number from 1"),
        (f"--epochs {10**30}", "a whole number from 1"),
        ("--pace 0", "above 0) or free"),
        ("--pace inf", "above 0) or free"),
        ("--seed -1", "a whole number from 0"),
        ("--device tpu", "auto, cpu, cuda, cuda:N or mps"),
        ("--device cuda:0,tpu", "several: cuda:0,cuda:1"),
        ("--device cuda:x", "auto, cpu, cuda, cuda:N or mps"),
        ("--threads 0", "a whole number from 1"),
        ("--measuring maybe", "on or off"),
        ("--theme pink", "dark"),
        ("--fps 0", "from 1 to 60"),
        ("--epoch 3", "--epochs"),
        ("more", "unexpected argument"),
    ],
)
def test_a_wrong_option_is_told_what_is_allowed(line: str, allowed: str) -> None:
    assert allowed in complaint(line)


@pytest.mark.parametrize("option", ["--epochs", "--problem"])
@pytest.mark.parametrize("words", [("train",), ()])
def test_what_was_typed_cannot_break_the_one_line(
    option: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, option, "a\nb\x1b[31m"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "\x1b" not in said


def test_a_recipe_is_a_setting_of_each_variant() -> None:
    line = (
        "--batch-sizes 64,64 --optimizer adamw(betas=(0.9,0.95)),sgd --schedule cosine,wsd "
        "--warmup 0.1,5000 --clip off,1 --precision bf16,fp32 --batch-warmup 0,0.5"
    )
    first, second = (each.settings for each in read(line).settings.variants)
    assert first == VariantSettings(
        optimizer="adamw(betas=(0.9,0.95))",
        schedule=LrSchedule.COSINE,
        warmup=0.1,
        precision=Precision.BF16,
    )
    assert second == VariantSettings(
        schedule=LrSchedule.WSD, warmup=5000.0, clip=1.0, batch_warmup=0.5
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--momentum 0.9 --optimizer sgd(momentum=0.5)", "momentum is given twice"),
        ("--optimizer adamw(0.1)", "by name"),
        ("--optimizer adamw(eps=eval('1'))", "literal"),
        ("--schedule cubic", "choose from constant, cosine, linear, wsd, own"),
        ("--warmup -1", "a share of the run below 1, or samples"),
        ("--clip 0", "a norm above 0, or off"),
        ("--precision fp8", "choose from fp32, bf16, fp16"),
        ("--batch-warmup nan", "a share of the run below 1, or samples"),
    ],
)
def test_a_recipe_that_cannot_be_is_a_usage_error(line: str, said: str) -> None:
    assert said in complaint(line)


def test_tab_leaves_commas_inside_brackets_alone() -> None:
    complete = words(("sgd", "adam", "adamw"), several=True)
    found = complete(None, None, "adamw(betas=(0.9,0.95)),ad")  # type: ignore[arg-type]
    assert [item.value for item in found] == [
        "adamw(betas=(0.9,0.95)),adam", "adamw(betas=(0.9,0.95)),adamw",
    ]  # fmt: skip
