"""A program without a screen: its output passes through, and is recorded."""

import contextlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.file import LogError
from engine.log.follow import Follower
from engine.log.json_report import report
from engine.log.records import Remarked
from engine.log.summary import Tally
from engine.programs import PROGRAM
from engine.programs.journal import UNKNOWN_SETTINGS
from engine.programs.process import ChildProgram, ProgramError
from engine.programs.readings import Choice
from engine.programs.recording import ProgramRecording
from engine.settings import RunSettings, Variant
from gdtui.cli.commands.program.loop import FORWARDED, HostedProgram, ProgramLoop, signals_held
from gdtui.cli.commands.train import detached
from gdtui.cli.commands.train.hosting import RunHost, TerminalOutput
from gdtui.cli.exit_codes import signal_status
from gdtui.cli.streams import print_error, print_json
from gdtui.state.runs.new_run import NewRun, empty_directory
from gdtui.state.runs.removal import discard_new

if TYPE_CHECKING:
    import click

_MOST_NAME: Final = 60
_INTERPRETERS: Final = re.compile(r"(?:python|pypy|torchrun|accelerate|uv|bash|sh)[\d.]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainOptions:
    """The options of `gdtui run`."""

    program: tuple[str, ...]
    run_dir: Path | None = None
    name: str | None = None
    pattern: re.Pattern[str] | None = None
    keeps_console: bool = True
    on_change: Choice | None = None
    as_json: bool = False
    is_quiet: bool = False
    is_detached: bool = False


def begin_run(ctx: "click.Context", options: PlainOptions) -> RunDirectory:
    """Create the run; a usage error if that is impossible."""
    try:
        return NewRun(options.run_dir or empty_directory()).begin(settings_of(options))
    except RunDirectoryError as error:
        ctx.fail(str(error))


def run_plain(ctx: "click.Context", run: RunDirectory, options: PlainOptions) -> int:
    """Run the program to its end; returns its exit status."""
    with signals_held():
        output = TerminalOutput(run.path)
        try:
            stdin = None if options.is_detached or sys.stdin is None else 0
            program = ChildProgram(options.program, stdin=stdin, unblocked={*FORWARDED})
        except ProgramError as error:
            discard_new(run)
            print_error(f"gdtui run: {error}")
            return error.status
        try:
            recording = record(run, options)
        except (RunDirectoryError, LogError, OSError) as error:
            program.kill()
            discard_new(run)
            ctx.fail(str(error))
        sinks = {1: 2 if options.as_json else 1, 2: 2}
        host = RunHost(HostedProgram(run, program, recording))
        sinks = {} if options.is_detached else sinks
        loop = ProgramLoop(program, recording, host, sinks, None if options.is_quiet else _say)
        if options.is_detached:
            if not detached.announce(run.path):
                loop.stop()
            output.detach()
        with contextlib.closing(host):
            status = loop.run(output.check)
    _conclude(run, recording, options)
    return status if status >= 0 else signal_status(-status)


def record(run: RunDirectory, options: PlainOptions) -> ProgramRecording:
    """Begin the recording. Raises RunDirectoryError, LogError and OSError."""
    return ProgramRecording(
        run,
        options.pattern,
        keeps_console=options.keeps_console,
        on_change=options.on_change,
    )


def _say(text: str) -> None:
    print_error(f"gdtui run: {text}")


def settings_of(options: PlainOptions) -> RunSettings:
    """The settings of the run, as far as a program has any."""
    title = _title(options.program)
    name = options.name or PurePath(title).stem or title
    variant = Variant(name=name[:_MOST_NAME].strip() or PROGRAM, settings=UNKNOWN_SETTINGS)
    return RunSettings(variants=(variant,), problem=title, epochs=1, device=PROGRAM, is_script=True)


def _title(program: tuple[str, ...]) -> str:
    """The name of the script, or of the program if it runs none."""
    names = [PurePath(word).name for word in program]
    if _INTERPRETERS.fullmatch(names[0]):
        for name in names[1:]:
            if name.endswith((".py", ".sh")):
                return name
        if "-m" in names[:-1]:
            return names[names.index("-m") + 1]
    return names[0] or PROGRAM


def _conclude(run: RunDirectory, recording: ProgramRecording, options: PlainOptions) -> None:
    """Say how the output was read, and where it is; or print the results as JSON."""
    if options.as_json:
        tallies = [Tally(each.name, each.settings) for each in run.info.settings.variants]
        remarks = []
        for name, record in Follower(run).read():
            next(tally for tally in tallies if tally.name == name).add(record)
            if isinstance(record, Remarked):
                remarks.append(record.text)
        print_json(report(run, tallies, remarks))
    if not options.is_quiet:
        for text in recording.remarks:
            _say(text)
        _say(f"recorded in {run.path}")
