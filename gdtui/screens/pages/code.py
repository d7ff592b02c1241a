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
from gdtui.view.text.caveats import promise
from gdtui.view.text.caveats.imported import is_foreign, is_imported

FOLDER: Final = "code"
_IMPORTED: Final = (
    "imported from CSV: neither data, model nor loss are in the file, so there is no code that "
    "trains this"
)
_PROGRAM: Final = "a program trains this: its own code is what there is to read"


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
        elif is_foreign(self._states[self._at]):
            text = Content.styled(_foreign(self._states[self._at]), "$foreground 60%")
        else:
            command = recipe.command_line(self._run, variant.name, variant.settings)
            title = "bold $primary"
            one = self._states[self._at]
            reasons = promise.differences(one, self._run)
            text = Content("\n").join(
                [
                    Content.styled("The same settings on the command line", title),
                    Content(command),
                    Content(""),
                    Content.styled(promise.heading(one, self._run), title),
                    *(Content.styled(f"· {reason}", "$warning") for reason in reasons),
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

    def _has_loop(self) -> bool:
        """True if there is a loop; otherwise a note says why there is none."""
        if not is_foreign(self._states[self._at]):
            return True
        self.app.notify(_foreign(self._states[self._at]))
        return False

    def action_copy(self) -> None:
        """Copy by OSC 52, which also works over SSH."""
        if not self._has_loop():
            return
        self.app.copy_to_clipboard(self.loop)
        self.app.notify("sent to the terminal's clipboard; if it takes none, p saves a file")

    def action_save(self) -> None:
        if not self._has_loop():
            return
        stem = self._shown.file_stem(self._variant.name)
        try:
            said = write(self._shown.folders(FOLDER), stem, {"loop.py": self.loop})
        except StillsError as error:
            self.app.notify(str(error), severity="error")
        else:
            self.app.notify(said)


def _foreign(one: VariantState) -> str:
    """The reason why there is no code that trains this variant."""
    return _IMPORTED if is_imported(one) else _PROGRAM
