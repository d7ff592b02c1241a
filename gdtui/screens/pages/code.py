"""The selected variant as code: its settings as a command line and a plain PyTorch loop.

Shows, copies and saves the output of gdtui/lesson/recipe.py; knows no settings itself.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.highlight import highlight
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.settings import RunSettings, Variant
from gdtui.export.screenshot import StillsError, write
from gdtui.lesson.code import recipe
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.variant import VariantState

FOLDER: Final = "code"


class CodeScreen(ModalScreen[None]):
    """A command line and a program."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,k,enter", "dismiss", "Close", show=False),
        Binding("c", "copy", "Copy the loop", show=False),
        Binding("p", "save", "Save the loop", show=False),
        Binding("q", "app.leave(0)", "Quit", show=False),
        Binding("right,tab", "turn(1)", "Next variant", show=False),
        Binding("left,shift+tab", "turn(-1)", "Variant before", show=False),
        *(Binding(str(place), f"select({place - 1})", show=False) for place in range(1, 10)),
    ]

    def __init__(self, states: Sequence[VariantState], at: int, shown: ShownRuns) -> None:
        super().__init__()
        self._states, self._at, self._shown = list(states), at, shown

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="code") as box:
            box.border_subtitle = "c copies · p saves · ← → variant · ↑ ↓ scroll · esc closes"
            yield Static(id="code-text")

    def on_mount(self) -> None:
        self._show()

    @property
    def _variant(self) -> Variant:
        one = self._states[self._at]
        return Variant(name=one.tally.name, settings=one.wanted)

    @property
    def _run(self) -> RunSettings:
        """The settings of the variant's run."""
        return self._shown.origin(self._states[self._at].tally.name).run_settings

    @property
    def loop(self) -> str:
        """The program that is shown."""
        one = self._states[self._at]
        device = one.tally.device or "cpu"
        return recipe.loop(self._run, self._variant, one.tally.n, device, one.tally.average)

    def _show(self) -> None:
        variant = self._variant
        box = self.query_one("#code")
        box.border_title = Content(f"{variant.name} as code")
        if not self._states[self._at].tally.n:
            text = Content.styled("not yet: the problem is still being loaded", "$foreground 60%")
        else:
            command = recipe.command_line(self._run, variant.name, variant.settings)
            title = "bold $primary"
            same = "The same losses from a plain PyTorch loop"
            if recipe.may_differ(self._run):
                same += " (but for a Dataset's random transforms)"
            text = Content("\n").join(
                [
                    Content.styled("The same settings on the command line", title),
                    Content(command),
                    Content(""),
                    Content.styled(same, title),
                    highlight(self.loop, language="python"),
                ]
            )
        self.query_one("#code-text", Static).update(text)
        box.scroll_home(animate=False)

    def action_turn(self, step: int) -> None:
        self.action_select((self._at + step) % len(self._states))

    def action_select(self, place: int) -> None:
        if place < len(self._states):
            self._at = place
            self._show()

    def action_copy(self) -> None:
        """Copy by OSC 52, which also works over SSH."""
        self.app.copy_to_clipboard(self.loop)
        self.app.notify("sent to the terminal's clipboard; if it takes none, p saves a file")

    def action_save(self) -> None:
        stem = self._shown.file_stem(self._variant.name)
        try:
            said = write(self._shown.folders(FOLDER), stem, {"loop.py": self.loop})
        except StillsError as error:
            self.app.notify(str(error), severity="error")
        else:
            self.app.notify(said)
