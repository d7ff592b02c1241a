"""The form for typing exact settings. Returns them; the main screen sends them."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from engine.settings import SettingsError, VariantSettings
from gdtui.control.settings import form
from gdtui.state.variant import VariantState


class EditScreen(ModalScreen[dict[str, VariantSettings] | None]):
    """One field per setting; enter applies them all, escape none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, chosen: Sequence[VariantState]) -> None:
        super().__init__()
        self._chosen = list(chosen)

    def compose(self) -> ComposeResult:
        names = ", ".join(one.tally.name for one in self._chosen)
        with Vertical(id="edit") as box:
            box.border_title = Content(f"settings of {names}")
            box.border_subtitle = "↑ ↓ field · enter applies · esc cancels"
            for field, (label, _) in form.FIELDS.items():
                with Horizontal(classes="field"):
                    yield Label(label)
                    yield self._input(field)
            yield Label("", id="wrong")

    def _input(self, field: str) -> Input:
        """A field with the value that all variants have in common.

        It is empty if there is none; an empty field changes nothing.
        """
        values = form.values(field, [one.wanted for one in self._chosen])
        if len(set(values)) == 1:
            return Input(values[0], id=field, compact=True, select_on_focus=True)
        return Input(placeholder=", ".join(values), id=field, compact=True)

    @on(Input.Submitted)
    def apply(self) -> None:
        """Read all fields; show errors below them."""
        typed = {field: self.query_one(f"#{field}", Input).value for field in form.FIELDS}
        try:
            settings = {
                one.tally.name: form.read(typed, one.wanted, one.tally.n) for one in self._chosen
            }
        except SettingsError as error:
            self.query_one("#wrong", Label).update(Content(str(error)))
            return
        self.dismiss(settings)

    def action_cancel(self) -> None:
        self.dismiss(None)
