"""The app on a problem in a user's file, in a real terminal."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

from engine.log.records import StateChanged
from engine.settings import FULL

StartApp = Callable[..., "App"]  # type: ignore[name-defined]  # noqa: F821

NET = dedent(
    """\
    import torch
    from torch import nn

    from engine import Problem

    CALLS = []


    def loss(output, y):
        CALLS.append(1)
        if len(CALLS) > LIMIT:
            raise ValueError("too late")
        return nn.functional.mse_loss(output.squeeze(-1), y)


    def problem():
        print("a stray word")
        x = torch.randn(400, 3)
        return Problem(
            train=(x, x.sum(1)),
            validation=(x[:50], x[:50].sum(1)),
            model=lambda: nn.Linear(3, 1),
            loss=loss,
            defaults={"batch_sizes": ("full", 50), "lr": 0.1, "epochs": 400},
        )
    """
)


def test_its_panels_come_with_its_defaults_and_it_leaves_nothing(
    start_app: StartApp, tmp_path: Path
) -> None:
    (tmp_path / "net.py").write_text("LIMIT = 10**9\n" + NET)
    app = start_app("--problem", str(tmp_path / "net.py"))
    app.wait_for_losses()
    assert "loading" in app.said
    assert "net.py · Linear(3,1)" in app.terminal.text
    assert "a stray word" not in app.terminal.text
    variants = app.run.info.settings.variants
    assert [variant.settings.batch_size for variant in variants] == [FULL, 50]
    app.terminal.send("q")
    assert app.terminal.wait() == 0
    app.check_restored()
    app.wait_for_nobody()


def test_an_exception_in_a_late_step_is_one_panels_news(
    start_app: StartApp, tmp_path: Path
) -> None:
    broadcast = NET.replace("output.squeeze(-1)", "output")
    (tmp_path / "net.py").write_text("LIMIT = 500\n" + broadcast)
    app = start_app("--problem", str(tmp_path / "net.py"), "--pace", "free")
    app.terminal.wait_for(
        lambda: app.terminal.text.count("failed: net.py:13: ValueError: too late") == 2
    )
    assert "Traceback" not in app.terminal.text
    assert (
        "gdtui: Using a target size (torch.Size([8])) that is different to the input size"
        in app.said
    )
    assert any(found[1].traceback for found in app.records(StateChanged))
    app.terminal.send("q")
    assert app.terminal.wait() == 0
    app.check_restored()
