"""The common part of `gdtui fork` and `gdtui rewind`: a point, settings, a run that goes on."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from engine.log.filesystem.places import find_run
from engine.settings import LrScaling, LrSchedule, Precision, SettingsError, VariantSettings
from gdtui.cli.command import AnyParameter, Argument, Flag, Option, in_group
from gdtui.cli.commands.control.orders import FIELDS, SETTINGS
from gdtui.cli.commands.train.train import headless_options, train_run
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.completion import STORED_RUN, stored_runs, words
from gdtui.cli.options.screen import linger_option, screen_options
from gdtui.cli.streams import is_terminal, print_error, print_text
from gdtui.cli.value_types import label, whole

if TYPE_CHECKING:
    import click

    from engine.log.commands import AnyCommand
    from engine.log.directory import RunDirectory
    from engine.log.lineage.points import Reached
    from engine.session.host.client import HostLink
    from engine.session.past import ResumedRun

_TEXTS: Final = {
    "batch-size": ("SIZE", "samples per batch, or full"),
    "lr": ("LR", "learning rate"),
    "lr-scaling": ("RULE", "scale the lr with the effective batch: none, linear, sqrt"),
    "base-batch": ("N", "the effective batch at which the lr holds unscaled"),
    "accumulation": ("N", "batches per update"),
    "momentum": ("M", "from 0 to below 1"),
    "optimizer": ("NAME", "any of torch.optim, or own: the problem's optimiser"),
    "schedule": ("CURVE", "constant, cosine, linear, wsd, or own for the problem's"),
    "warmup": ("SHARE|N", "the share of the run, or the samples, in which the lr rises from 0"),
    "clip": ("NORM", "scale gradients down to this norm, or off"),
    "precision": ("FORMAT", "of the forward pass: fp32, bf16 or fp16"),
    "batch-warmup": ("SHARE|N", "the share, or the samples, in which the batch grows to its size"),
}
"""The value and the meaning of each setting."""
_CHOICES: Final[Mapping[str, Iterable[str]]] = {
    "batch-size": ("full",),
    "lr-scaling": LrScaling,
    "schedule": LrSchedule,
    "clip": ("off",),
    "precision": Precision,
}
_SCREEN: Final = ("theme", "fps", "keys", "linger")


@dataclass(frozen=True, slots=True)
class Return:
    """A point of a variant to which training goes back, and the settings from there on."""

    command: str
    """The command as it is typed: "fork" or "rewind"."""
    variant: str
    generation: int
    asked: int
    """The batch that was asked for."""
    reached: "Reached"
    """The group boundary at or before it."""
    changes: dict[str, Any]
    """The settings that were typed, as fields."""

    def changed(self, settings: VariantSettings) -> VariantSettings:
        """The settings with those that were typed."""
        return replace(settings, **self.changes)

    @property
    def place(self) -> str:
        """The point in words."""
        if not self.reached.batches:
            return "the initial weights"
        return f"batch {self.reached.batches:,}"


def read_return(
    ctx: "click.Context", run: "RunDirectory", command: str, variant: str | None, at: int | None
) -> Return:
    """The point that the options name; a usage error if no training has reached it."""
    from engine.log.lineage.points import PointError, find_point, logs_of
    from engine.session.variants.unattended import check_optimizer

    if at is None:
        ctx.fail("--at BATCH is required")
    names = [each.name for each in run.info.settings.variants]
    name = _variant(ctx, names, variant)
    try:
        reached = find_point(logs_of(run), name, 0, at)
        changes = {
            FIELDS.get(option, option.replace("-", "_")): value
            for option in SETTINGS
            if (value := ctx.params[option.replace("-", "_")]) is not None
        }
        settings = replace(reached.settings, **changes)
        if not changes.keys().isdisjoint(("optimizer", "momentum")):
            check_optimizer(settings)
    except (PointError, SettingsError) as error:
        ctx.fail(str(error))
    if reached.batches != at:
        where = f"batch {reached.batches:,}" if reached.batches else "the initial weights"
        print_error(
            f"gdtui {command}: batch {at:,} lies within an update; {where} is the last one before "
            "it that ends an update"
        )
    return Return(command, name, 0, at, reached, changes)


def _variant(ctx: "click.Context", names: list[str], word: str | None) -> str:
    """The variant with this name or number, or the only one there is."""
    shown = ", ".join(f"{k} {name}" for k, name in enumerate(names, start=1))
    if word is None:
        return names[0] if len(names) == 1 else ctx.fail(f"--variant is required: {shown}")
    if word in names:
        return word
    if word.isdecimal() and 1 <= int(word) <= len(names):
        return names[int(word) - 1]
    return ctx.fail(f"unknown variant {word!r}; variants: {shown}")


def go_back(
    ctx: "click.Context",
    run_dir: Path,
    point: Return,
    order: "Callable[[HostLink], str]",
    prepare: "Callable[[ResumedRun], str]",
    rest: dict[str, Any],
) -> int:
    """Command the host of the run, or go on with a run that has ended; the exit status.

    `order` sends the command, `prepare` notes it in the logs of a run that is held; each returns
    the line that says what was done.
    """
    from engine.session.host.client import HostError
    from gdtui.cli.hosts.reaching import UnreachableError, reach

    try:
        link = reach(run_dir, f"gdtui {point.command} {run_dir.name} …")
        print_text(f"{run_dir}: {order(link)}")
        link.close()
    except (UnreachableError, HostError) as error:
        if not (isinstance(error, UnreachableError) and error.has_ended):
            print_error(f"gdtui {point.command}: {error}")
            return ExitCode.FAILED
    else:
        return ExitCode.OK
    return _go_on(ctx, run_dir, prepare, **rest)


def _go_on(
    ctx: "click.Context",
    run_dir: Path,
    prepare: "Callable[[ResumedRun], str]",
    problem: str | None,
    **rest: Any,
) -> int:
    """Go on with a run that has ended, as gdtui resume does."""
    from engine.log.directory import RunDirectoryError
    from engine.session.hosted import OrderError
    from gdtui.cli.commands.train import detached

    if rest["detach"] and not detached.is_host():
        return detached.start(sys.argv[1:])
    from gdtui.cli.resuming import take_up

    run = take_up(ctx, run_dir, problem=problem, epochs=None)
    try:
        done = prepare(run)
    except (OrderError, RunDirectoryError) as error:
        run.custody.release()
        run.custody.remove_handover()
        ctx.fail(str(error))
    is_shown = not (rest["json"] or rest["detach"]) and is_terminal(sys.stdout)
    if not is_shown:
        print_error(f"gdtui {ctx.command.name}: {done}")
        return train_run(ctx, run, **rest)
    from gdtui.cli.commands.control.attach_run import resume_on_screen

    return resume_on_screen(run, **{name: rest[name] for name in _SCREEN})


def sent(link: "HostLink", name: str, command: "AnyCommand") -> str:
    """Send a command; returns the variant that it is about. Raises HostError."""
    done = link.order({name: command})
    return done[0].variant if done else name


def options_of_return(with_name: bool) -> list[AnyParameter]:
    """The options of a command that goes back to a point."""
    return [
        *in_group(
            "run",
            Argument("run_dir", "RUN", STORED_RUN, type=find_run, shell_complete=stored_runs),
            Option("--variant", "NAME", "its name or number [the only one]", type=label),
            Option("--at", "BATCH", "batches done; 0: the initial weights", type=whole(0)),
            *_names(with_name),
            Option(
                "--problem",
                "FILE.py",
                "the problem of a run that has ended; required if it is in a Python file",
            ),
        ),
        *in_group("settings from there on (those not given stay)", *_settings()),
        *screen_options(records=False),
        *in_group("screen", linger_option()),
        *headless_options(),
        Flag("--debug", "show the tracebacks of errors in a problem"),
    ]  # fmt: skip


def _names(with_name: bool) -> Iterator[Option]:
    if with_name:
        text = "the name of the new variant [that of the old one and a number]"
        yield Option("--name", "NAME", text, type=label)


def _settings() -> Iterator[Option]:
    for name, read in SETTINGS.items():
        metavar, text = _TEXTS[name]
        choices = words(_CHOICES[name]) if name in _CHOICES else None
        yield Option(
            f"--{name}",
            metavar,
            text,
            type=read,
            allow_from_autoenv=False,
            shell_complete=choices,
        )
