"""What the parts of the app may call of the whole. Each is defined once: by the app, or by another part.

A common base, so that it comes after all of them in the order of methods: stubs in the parts themselves would
hide what a part further on defines.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.screen import Screen

    from gdtui.live_view import LiveView


class AppPart:
    """A part of the app."""

    @property
    def live(self) -> "LiveView":
        """What is read and drawn."""
        raise NotImplementedError

    def say(self, notes: list[str]) -> None:
        """Notes in the bottom line."""
        raise NotImplementedError

    def tell(self, notes: list[str]) -> None:
        """Something was asked of the run: show it as pending, and what is to be said of it."""
        raise NotImplementedError

    def lay(self, screen: "Screen[None]") -> None:
        """A screen over what is shown."""
        raise NotImplementedError
