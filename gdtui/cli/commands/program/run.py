"""`gdtui run`: runs any program, and reads its losses from what it prints."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from click import UNPROCESSED

from gdtui.cli.command import FILE, Argument, Flag, GdtuiCommand, Option, in_group
from gdtui.cli.options.quiet import quiet_flag
from gdtui.cli.options.screen import screen_options
from gdtui.cli.streams import has_screen
from gdtui.cli.value_types import choice

if TYPE_CHECKING:
    import click

    from gdtui.cli.commands.program.plain import PlainOptions
    from gdtui.keys.script import Press

_ASK: Final = "ask"
_ANSWERS: Final = (_ASK, "another", "same", "ignore")
_EXAMPLES: Final = """\
examples:
  gdtui run -- python train.py --epochs 3
  gdtui run --detach -- torchrun --nproc-per-node 2 train.py
  gdtui run --pattern 'cost (?P<loss>[0-9.e-]+) at (?P<step>[0-9]+)' -- ./train

What is read without --pattern: the postfix or description of a tqdm bar, the lines of HF Trainer,
Lightning, Keras and nanoGPT, and names with values such as "step 10: loss 0.5" or "loss=0.5".

exit status: that of the program, 128 + n if signal n ended it; 2 usage error, 126 the program
cannot be run, 127 it was not found"""


def run(
    ctx: "click.Context",
    program: tuple[str, ...],
    run_dir: Path | None,
    name: str | None,
    pattern: str | None,
    no_console: bool,
    on_change: str,
    json: bool,
    quiet: bool,
    detach: bool,
    theme: str,
    fps: float,
    keys: "tuple[Press, ...]",
) -> int:
    """Run a program, and chart the losses that it prints. Its code needs no change.

    The program's output passes through untouched. Its losses, steps, epochs, learning rates and
    evaluations go to a run's directory, as those of gdtui train do: gdtui watch shows them while
    the program runs and later, gdtui export writes them as CSV. Losses that are printed every 10
    steps are recorded at those steps.

    The program outlives its terminal. gdtui stop ends it with all its processes: SIGTERM first,
    and SIGKILL after 10 s.
    """
    from gdtui.cli.commands.program.plain import begin_run, run_plain
    from gdtui.cli.commands.train import detached

    options = _options(ctx)
    if detach and not detached.is_host():
        return detached.start(sys.argv[1:])
    run = begin_run(ctx, options)
    if detach or json or not has_screen():
        return run_plain(ctx, run, options)
    from gdtui.cli.commands.program.screen import run_on_screen

    return run_on_screen(run, options, theme=theme, fps=fps, keys=keys)


def _options(ctx: "click.Context") -> "PlainOptions":
    from engine.programs.readings import Choice
    from engine.programs.text.pattern import PatternError, compile_pattern
    from gdtui.cli.commands.program.plain import PlainOptions

    values: dict[str, Any] = ctx.params
    program = values["program"]
    if not program:
        ctx.fail("missing PROGRAM: gdtui run -- python train.py")
    try:
        pattern = None if values["pattern"] is None else compile_pattern(values["pattern"])
    except PatternError as error:
        ctx.fail(f"--pattern: {error}")
    return PlainOptions(
        program=program,
        run_dir=values["run_dir"],
        name=values["name"],
        pattern=pattern,
        keeps_console=not values["no_console"],
        as_json=values["json"],
        is_quiet=values["quiet"],
        is_detached=values["detach"],
        on_change=None if values["on_change"] == _ASK else Choice(values["on_change"]),
    )


command = GdtuiCommand(
    run,
    "gdtui run [OPTIONS] -- PROGRAM [ARGUMENT …]",
    _EXAMPLES,
    [
        *in_group(
            "run",
            Argument(
                "program",
                "PROGRAM",
                "the program, with its arguments",
                type=UNPROCESSED,
                nargs=-1,
                required=False,
            ),
            Option(
                "--run-dir",
                "DIR",
                "directory of the run, which must not hold one yet",
                shown="a new one among all runs",
                type=FILE,
            ),
            Option("--name", "NAME", "name of the run's curve", shown="that of the script"),
            Option(
                "--pattern",
                "REGEX",
                "read only what this matches; its groups are named loss, step, epoch, lr or as "
                "you like",
            ),
            Flag("--no-console", "keep no copy of what the program prints"),
            Option(
                "--on-change",
                "|".join(_ANSWERS),
                "if the loss that is printed changes its meaning: ask on the screen; or count it "
                "as another training, as the same one, or ignore it",
                type=choice(_ANSWERS),
                default=_ASK,
            ),
        ),
        Flag("--json", "one JSON document on stdout at the end; the program's stdout to stderr"),
        quiet_flag(),
        Flag(
            "--detach",
            "print the run's directory once the program runs, and return",
            is_typed=True,
        ),
        *screen_options(records=False),
    ],
)
command.context_settings["allow_interspersed_args"] = False
