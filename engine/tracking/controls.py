"""The commands of clients to a tracked loop: checked as they come, obeyed at its next update.

`LoopSession` stands where a host has its session. Clients call it in the thread of the socket; the
loop takes what was ordered in its own thread.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from engine.log.commands import (
    AnyCommand,
    Change,
    Extend,
    Measure,
    Pause,
    Restart,
    Resume,
    SetMeasuring,
    SetPace,
    StepOnce,
)
from engine.log.directory import RunDirectory
from engine.log.records import CommandSent
from engine.session.hosted import OrderError
from engine.settings import Resolved, SettingsError, VariantSettings

_CHANGEABLE: Final = ("batch_size", "lr", "lr_scaling", "accumulation_steps")
"""The settings that a loop may be able to change."""
_REFUSALS: Final[dict[type[AnyCommand], str]] = {
    Restart: "a script cannot go back to its first weights: run it again",
    SetPace: "a script keeps its own pace",
    Measure: "gdtui measures only models that it trains itself, not those of a script",
    SetMeasuring: "gdtui measures only models that it trains itself, not those of a script",
}


@dataclass(slots=True)
class Abilities:
    """The reasons why a loop cannot obey some commands; empty texts where it can."""

    batch_size: str = ""
    accumulation_steps: str = ""
    lr: str = ""
    epochs: str = ""
    ranks: int = 1
    """Batches are divided among so many ranks."""
    going: str = ""
    """The reason why it cannot pause."""
    ends: str | None = None
    """The reason why it cannot end; that of `epochs` if None."""

    def reason(self, setting: str) -> str:
        """The reason why a setting cannot change."""
        return str(getattr(self, "lr" if setting == "lr_scaling" else setting))


class Levers(Protocol):
    """The means by which orders change a loop."""

    @property
    def ahead(self) -> int:
        """Batches that were read before the loop wants them; they keep their size."""

    def change_batch_size(self, batch_size: int, steps: int, ahead: int) -> int:
        """Use another batch size; returns the batches of the old size that still come.

        `ahead`: at least so many, since another rank has read them.
        """

    def change_update(self, settings: VariantSettings, resolved: Resolved) -> None:
        """Use another accumulation and lr from the next batch on."""

    def delay(self, after: Resolved) -> int:
        """Batches that come before these settings can be in force, besides those read ahead."""


class LoopOrders(msgspec.Struct):
    """Everything that the loop has yet to do at its next update."""

    changes: list[Change] = msgspec.field(default_factory=list)
    epochs: Extend | None = None
    going: Pause | Resume | StepOnce | None = None
    is_end: bool = False
    """True if the loop shall end."""
    is_keep: bool = False
    """True if the ranks of a loop shall take a checkpoint together."""


class LoopSession:
    """The session of a loop, as its socket commands it."""

    def __init__(
        self,
        run: RunDirectory,
        name: str,
        n: int,
        abilities: Abilities,
        note_sent: Callable[[CommandSent], object],
    ) -> None:
        """`n`: samples in an epoch. `note_sent`: logs a command."""
        self.run = run
        self.name, self._n, self._abilities = name, n, abilities
        self._note_sent = note_sent
        found = {each.name: each.settings for each in run.info.settings.variants}
        self.wanted = {name: found[name]}
        self.epochs = run.info.settings.epochs
        self._last = 0
        self._lock = threading.Lock()
        self._orders = LoopOrders()
        self.is_due = False
        """True while there is anything for the loop to take."""
        self._woken = threading.Event()

    @property
    def why_endless(self) -> str:
        """The reason why a client cannot end the loop; empty if it can."""
        abilities = self._abilities
        reason = abilities.epochs if abilities.ends is None else abilities.ends
        return reason and f"{reason}: end the script in its terminal, or with kill"

    # --- For clients, in the thread of the socket -----------------------------------------------

    def obey(self, commands: Mapping[str, AnyCommand]) -> tuple[CommandSent, ...]:
        """Accept the commands for the loop's next update.

        Raises OrderError, with nothing accepted, for a command that the loop cannot obey.
        """
        sent = []
        for name, command in commands.items():
            self._check(command)
            self._last += 1
            numbered = replace(command, id=self._last)
            self._accept(numbered)
            sent.append(CommandSent(variant=name, command=numbered))
            self._note_sent(sent[-1])
        return tuple(sent)

    def resume(self) -> None:
        """Go on, if a client that paused the loop has gone."""
        self._last += 1
        self._accept(Resume(id=self._last))

    def release(self) -> None:
        """Go on whatever was ordered: nobody can resume the loop any more."""
        self._accept(Resume(id=self._last))

    def _check(self, command: AnyCommand) -> None:
        if (reason := _REFUSALS.get(type(command))) is not None:
            raise OrderError(reason)
        if isinstance(command, Extend):
            if self._abilities.epochs:
                raise OrderError(self._abilities.epochs)
        elif isinstance(command, Change):
            self._check_change(command.settings)
        elif not isinstance(command, Pause | Resume | StepOnce):
            raise OrderError("a script cannot do that")
        elif self._abilities.going:
            raise OrderError(self._abilities.going)

    def _check_change(self, settings: VariantSettings) -> None:
        wanted = self.wanted[self.name]
        for setting in settings.__struct_fields__:
            if getattr(settings, setting) == getattr(wanted, setting):
                continue
            if setting not in _CHANGEABLE:
                raise OrderError(f"the script decides its {setting.replace('_', ' ')}")
            if reason := self._abilities.reason(setting):
                raise OrderError(f"the {setting.replace('_', ' ')} stays: {reason}")
        try:
            size = settings.resolve(self._n).batch_size
        except SettingsError as error:
            raise OrderError(str(error)) from None
        if size % (ranks := self._abilities.ranks):
            raise OrderError(f"the batch size must be a multiple of {ranks}, the number of ranks")

    def _accept(self, command: AnyCommand) -> None:
        with self._lock:
            match command:
                case Change():
                    self.wanted[self.name] = command.settings
                    self._orders.changes = [command]
                case Extend():
                    self.epochs = command.epochs
                    self._orders.epochs = command
                case Pause() | Resume() | StepOnce():
                    self._orders.going = command
                case _:
                    pass
            self.is_due = True
        self._woken.set()

    # --- For the loop, in its own thread --------------------------------------------------------

    def take(self) -> LoopOrders:
        """Everything ordered since the last call."""
        with self._lock:
            orders, self._orders = self._orders, LoopOrders()
            self.is_due = False
            self._woken.clear()
        return orders

    def adopt(self, settings: VariantSettings) -> None:
        """Take over settings that the loop has changed by itself."""
        with self._lock:
            self.wanted[self.name] = settings

    def go_on(self, settings: VariantSettings, epochs: int, last_command: int) -> None:
        """Go on where an earlier process of the script has left off."""
        self.wanted[self.name], self.epochs, self._last = settings, epochs, last_command

    def wait(self, seconds: float) -> None:
        """Wait until something is ordered, at most so long."""
        self._woken.wait(seconds)
