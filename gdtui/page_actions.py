"""The app's actions that open a screen to be read: help, explanations, tables, code."""

from typing import TYPE_CHECKING

from engine.log.directory import RunDirectory
from gdtui.app_part import AppPart

if TYPE_CHECKING:
    pass


class PageActions(AppPart):
    """A part of the app. The screens are imported when they are first opened."""

    run_directory: RunDirectory

    def action_help(self) -> None:
        from gdtui.screens.pages.help import HelpScreen

        self.lay(HelpScreen())

    def action_explain(self) -> None:
        """What one is looking at."""
        from gdtui.screens.pages.explain import ExplainScreen

        live = self.live
        self.lay(ExplainScreen(live.store, live.view.selected, is_ours=live.source.obeyed is None))

    def action_tables(self) -> None:
        """lr by batch size, and what batch sizes trade."""
        from gdtui.screens.pages.tables import TablesScreen

        self.lay(TablesScreen(self.live.store))

    def action_code(self) -> None:
        """The selected variant, or the first, as a command line and a plain loop."""
        from gdtui.screens.pages.code import CodeScreen

        self.lay(CodeScreen(self.live.store.states, self.live.view.selected or 0, self.run_directory))
