"""The app under a locale that does not promise UTF-8, in a terminal that shows it all the same."""

from real_app import StartApp


def test_under_lang_c_the_app_is_drawn_as_ever(start_app: StartApp) -> None:
    app = start_app("--epochs", "2", "--pace", "free", env={"LC_ALL": "C"})
    app.wait_for_losses()
    app.terminal.wait_for(lambda: any("⠁" <= each <= "⣿" for each in app.terminal.text))
    app.terminal.send("q")
    assert app.terminal.wait() == 0
    app.check_restored()
