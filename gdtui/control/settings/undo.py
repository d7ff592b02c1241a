"""Undo: the changes of settings that keys have made, so that they can be taken back.

Works on settings alone: sends no command, knows no widget and no process.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import asdict, replace

from engine.settings import SettingsError, VariantSettings
from gdtui.view.text import formatting

Settings = Mapping[str, VariantSettings]
"""Settings by variant."""
_MOST: Final = 1_000
"""Maximum number of steps kept; a held key makes thirty a second."""
_NAMED: Final = 3
"""Maximum number of variants that a note names one by one."""


@dataclass(frozen=True, slots=True)
class SettingsStep:
    """One key's change of settings."""

    before: Settings
    after: Settings
    """The same variants as `before`."""
    restarts: bool
    """True if the key restarted these variants, or rewound them."""
    is_rewind: bool = False
    made: Settings = field(default_factory=dict)
    """The settings that the key had put in force, in a step that undoes it."""
    generations: Mapping[str, int] = field(default_factory=dict)
    """The generations that a restart or rewind ended."""


class UndoStack:
    """The steps of one session, newest last."""

    def __init__(self) -> None:
        self._steps: deque[SettingsStep] = deque(maxlen=_MOST)
        self._restarted: set[str] = set()

    def note(
        self,
        before: Settings,
        after: Settings,
        *,
        restarts: bool,
        is_rewind: bool = False,
        generations: Mapping[str, int] | None = None,
    ) -> None:
        """Remember a step, unless it changes nothing."""
        if is_rewind or any(before[name] != settings for name, settings in after.items()):
            step = SettingsStep(before, after, restarts, is_rewind, generations=generations or {})
            self._steps.append(step)
            self._restarted.update(after if restarts else ())

    def take(self, wanted: Settings) -> SettingsStep | None:
        """Remove the newest step that can be undone, and return the step that undoes it.

        `wanted`: the present settings. A step without effect is skipped: the worker refused it, or
        ran out of memory and took it back. None: nothing is left to undo.
        """
        while self._steps:
            step = self._steps.pop()
            now = {name: wanted[name] for name in step.after}
            undone = {
                name: _without(settings, step.before[name], step.after[name])
                for name, settings in now.items()
            }
            if undone != now or step.is_rewind:
                names = (
                    now if step.restarts else [name for name in now if undone[name] != now[name]]
                )
                return SettingsStep(
                    before={name: now[name] for name in names},
                    after={name: undone[name] for name in names},
                    restarts=step.restarts,
                    is_rewind=step.is_rewind,
                    made=step.after,
                    generations=step.generations,
                )
        return None

    def __bool__(self) -> bool:
        return bool(self._steps)

    def has_restarted(self, name: str) -> bool:
        """True if a step has restarted this variant."""
        return name in self._restarted


def _without(
    now: VariantSettings, before: VariantSettings, after: VariantSettings
) -> VariantSettings:
    """The present settings without the change from `before` to `after`.

    Only the fields that this change touched: another one may have followed that no key made.
    """
    new = asdict(after)
    touched = {field: old for field, old in asdict(before).items() if old != new[field]}
    try:
        return replace(now, **touched)
    except SettingsError:
        return before


def in_words(before: Settings, after: Settings, n: int) -> str:
    """The differences, such as "batch 64 → 32" or "SGD: lr 0.02 → 0.01; Batch GD: lr 0.01 → 0.02".

    `n`: samples in the training set, 0 while unknown.
    """
    told = {name: ", ".join(_changes(before[name], after[name], n)) for name in after}
    different = {name: text for name, text in told.items() if text}
    if len({*different.values()}) == 1 and len(different) > 1:
        return next(iter(different.values()))
    named = [f"{name}: {text}" for name, text in different.items()]
    more = [f"{len(named) - _NAMED} more"] * (len(named) > _NAMED)
    return "; ".join([*named[:_NAMED], *more])


def _changes(before: VariantSettings, after: VariantSettings, n: int) -> Iterator[str]:
    for name, old, new in formatting.changes(before, after, n):
        yield f"{name} {old} → {new}"
