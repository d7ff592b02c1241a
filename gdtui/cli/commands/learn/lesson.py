"""`gdtui lesson`: the app on the lesson's run, with the coach line; or the list of its steps."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from gdtui.cli.command import FILE, Flag, GdtuiCommand, Option, in_group
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.run import APP_PACE, THREADS, device_option
from gdtui.cli.options.screen import screen_options
from gdtui.cli.streams import check_screen, print_text
from gdtui.cli.value_types import pace as read_pace
from gdtui.cli.value_types import whole

if TYPE_CHECKING:
    import click

    from gdtui.lesson.course.content import Course

_OF_THE_RUN: Final = ("epochs", "pace", "seed", "device", "threads")
_EXAMPLES: Final = """\
examples:
  gdtui lesson
  gdtui lesson --list
  gdtui lesson --step fold     from this step on; its number will do, too

In the lesson, G goes on once the step's deed is done; esc leaves it, G comes back to it."""


def lesson(ctx: "click.Context", step: str, list: bool, **values: Any) -> int:  # noqa: A002
    """The guided lesson: what batch size does to training, step by step, in about ten minutes.

    Opens the app on the lesson's run, with a line that says what to do next. Each step waits until
    you have done it, then says what was measured.
    """
    from gdtui.lesson.course.content import load

    course = load()
    if list:
        print_text(_listed(course))
        return ExitCode.OK
    try:
        place = course.find(step)
    except KeyError:
        names = ", ".join(each.name for each in course.steps)
        ctx.fail(f"unknown step {step!r}: choose from {names}, or 1 to {len(course.steps)}")
    check_screen(ctx, "the lesson", instead="gdtui lesson --list")
    return _start(ctx, course, place, values)


def _start(ctx: "click.Context", course: "Course", place: int, values: Mapping[str, Any]) -> int:
    """Open the app at a step of the lesson."""
    from engine.log.directory import RunDirectoryError
    from gdtui.cli.commands.train.run_app import run_live
    from gdtui.cli.recording.live import live_recording
    from gdtui.lesson.course.coach import Coach
    from gdtui.lesson.course.first_run import take_first_run
    from gdtui.lesson.course.guide import Guide
    from gdtui.lesson.course.runs import lesson_run
    from gdtui.state.runs.new_run import NewRun, empty_directory

    take_first_run()
    settings = lesson_run(**{name: values[name] for name in _OF_THE_RUN})
    screen = {name: values[name] for name in ("theme", "fps", "keys")}
    guide = Guide(coach=Coach(course, step_at=place), is_shown=True)
    try:
        new = NewRun(values["run_dir"] or empty_directory())
        with live_recording(ctx, values["record"], values["fps"]) as make_app:
            return run_live(settings, new, **screen, guide=guide, make_app=make_app)
    except RunDirectoryError as error:
        ctx.fail(str(error))


def _listed(course: "Course") -> str:
    from gdtui.view.text.reports.align import align_columns

    rows = [(f"{place}", step.name, step.title) for place, step in enumerate(course.steps, start=1)]
    return align_columns(rows, left={1, 2}) + "\n\nStart at one with: gdtui lesson --step NAME"


command = GdtuiCommand(
    lesson,
    "gdtui lesson [OPTIONS]",
    _EXAMPLES,
    [
        *in_group(
            "lesson",
            Option("--step", "NAME|N", "the step to begin with", default="1"),
            Flag("--list", "list the steps and exit", is_typed=True),
        ),
        *in_group(
            "training",
            Option("--epochs", "N", "passes over the data", type=whole(1), default="20"),
            Option("--pace", "N|free", "epochs per second", type=read_pace, default=APP_PACE),
            Option("--seed", "N", "fixes data, weights and order", type=whole(0, 2**63 - 1),
                   default="0"),
            device_option("auto, cpu, cuda, cuda:N, mps, a GPU's UUID"),
            Option("--threads", "N", "CPU threads per variant", type=THREADS,
                   shown="a fair share"),
            Option("--run-dir", "DIR", "directory of the run", type=FILE,
                   shown="a new one; see gdtui runs"),
        ),
        *screen_options(),
    ],
)  # fmt: skip
