"""Names on screen beside what the variants are now."""

from pathlib import Path

import pytest
from app_bench import WIDE, Bench, changed, settle
from msgspec.structs import replace
from shown import text_of

from engine.settings import FULL, VariantSettings
from gdtui.chart.scene.shortening import shortened
from gdtui.view.text.caveats.label import labelled

N = 2000


@pytest.mark.parametrize(
    ("name", "first", "now", "shown"),
    [
        ("Mini-batch 16", {"batch_size": 16}, {"batch_size": 128}, "Mini-batch 16 → 128"),
        ("Mini-batch 16 #2", {"batch_size": 16}, {"batch_size": 128}, "Mini-batch 16 #2 → 128"),
        ("run-a: Mini-batch 16", {"batch_size": 16}, {"batch_size": FULL},
         "run-a: Mini-batch 16 → full"),
        ("SGD", {"batch_size": 1}, {"batch_size": 64}, "SGD → 64"),
        ("SGD", {"batch_size": 64}, {"optimizer": "adam"}, "SGD → adam"),
        ("Batch GD", {"batch_size": FULL}, {"batch_size": 64}, "Batch GD → 64"),
        ("Mini-batch", {"batch_size": 64}, {"batch_size": 128}, "Mini-batch"),
        ("Mini-batch", {"batch_size": 64}, {"batch_size": 1}, "Mini-batch → 1"),
        ("lr 0.1", {"lr": 0.1}, {"lr": 0.05}, "lr 0.1 → 0.05"),
        ("lr=1e-3", {"lr": 0.001}, {"lr": 0.01}, "lr=1e-3 → 0.01"),
        ("lr 0.1", {"lr": 0.1}, {"batch_size": 128}, "lr 0.1"),
        ("b16 lr0.1", {"batch_size": 16, "lr": 0.1}, {"batch_size": 32, "lr": 0.2},
         "b16 lr0.1 → batch 32, lr 0.2"),
        ("256", {"batch_size": 256}, {"batch_size": 512}, "256 → 512"),
        ("momentum 0.9", {"momentum": 0.9}, {"momentum": 0.0}, "momentum 0.9 → 0"),
        ("×8", {"accumulation_steps": 8}, {"accumulation_steps": 4}, "×8 → ×4"),
        ("linear", {"lr_scaling": "linear"}, {"lr_scaling": "none"}, "linear → none"),
        ("Adam", {"optimizer": "adam"}, {"optimizer": "sgd"}, "Adam → sgd"),
        ("lr 5", {"lr": 0.1}, {"lr": 0.2}, "lr 5"),  # never true: it states nothing
        ("mine", {}, {"lr": 0.2, "batch_size": 1}, "mine"),
    ],
)  # fmt: skip
def test_a_name_that_states_a_setting_is_followed_by_what_it_is_now(
    name: str, first: dict[str, object], now: dict[str, object], shown: str
) -> None:
    began = replace(VariantSettings(), **first)
    assert labelled(name, began, replace(began, **now), N) == shown
    assert labelled(name, began, began, N) == name


def test_what_a_variant_is_now_is_never_cut_off() -> None:
    assert shortened(("Batch GD", "Mini-batch 16 → 128"), 12)[1].endswith("→ 128")


async def test_panel_title_and_legend_tell_it_and_the_logs_name_stays(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "run", sizes="16,64")
    bench.begin()
    name = bench.names[0]
    for each in bench.names:
        bench.train(each, [0.8] * 50)
    first = bench.run.info.settings.variants[0].settings
    app = bench.app()
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert "→ 128" not in text_of(app)
        bench.write(name, changed(replace(first, batch_size=128), 1))
        await settle(pilot)
        said = text_of(app)
        assert said.count(f"{name} → 128") == 2  # the panel's title, the legend
        assert app.main.viewer.store.states[0].tally.name == name
        await pilot.press("1", "z")
        await settle(pilot)
        assert f"1 {name} → 128 · every batch" in text_of(app)
