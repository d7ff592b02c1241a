"""The command line's entry: which command runs, and with which exit status it ends.

Imported again in every worker, as the main module of the console script: nothing heavy at the top.
"""

import errno
import os
import sys
from collections.abc import Callable
from functools import partial
from io import TextIOWrapper
from typing import Final, TextIO

from gdtui import __version__

OK: Final = 0
FAILED: Final = 1
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
"""As a shell reports a command that SIGPIPE ended."""


def main(argv: list[str] | None = None) -> int:
    """Run gdtui with these arguments; returns the exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    if isinstance(sys.stdout, TextIOWrapper):  # a Latin-1 or ASCII terminal shows ? for what it lacks
        sys.stdout.reconfigure(errors="replace")
    command: Callable[[list[str]], int] = _app
    rest = arguments
    if arguments and arguments[0] in _COMMANDS:
        command, rest = _COMMANDS[arguments[0]], arguments[1:]
    try:
        status = command(rest)
        if sys.stdout is not None:  # `>&-`
            sys.stdout.flush()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        return _give_up_stdout(error)
    return status


def _give_up_stdout(error: OSError) -> int:
    """Nobody reads on, or nothing more fits."""
    # The interpreter flushes stdout once more as it ends: let that succeed.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if error.errno == errno.EPIPE:
        return PIPE_CLOSED
    print(f"gdtui: the output is not complete: {error.strerror}", file=sys.stderr)
    return FAILED


def _app(arguments: list[str]) -> int:
    from gdtui.cli.options.run import APP_PACE
    from gdtui.cli.usage.commands import app_parser

    parser = app_parser()
    typed = parser.parse(arguments)
    if typed.version:
        print(f"gdtui {__version__}")
        return OK
    if not _has_screen():
        parser.error("the app needs a terminal; without one, use: gdtui train")

    from engine.log.directory import RunDirectoryError
    from gdtui.cli.prepare import begun
    from gdtui.cli.run_app import run_live

    try:
        chosen, path = begun(parser, typed, APP_PACE)
        for note in chosen.notes:  # seen once the app has left the screen
            print(f"{parser.prog}: {note}", file=sys.stderr)
        return run_live(chosen.settings, path, theme=chosen.theme, fps=chosen.fps, keys=chosen.keys)
    except RunDirectoryError as error:
        parser.error(str(error))


def _train(arguments: list[str]) -> int:
    from gdtui.cli.usage.commands import train_parser

    parser = train_parser()
    typed = parser.parse(arguments)

    from engine.log.directory import RunDirectory, RunDirectoryError
    from gdtui.cli.prepare import begun

    try:
        chosen, path = begun(parser, typed, None)
        for note in chosen.notes:
            print(f"{parser.prog}: {note}", file=sys.stderr)
        run = RunDirectory.create(path, chosen.settings, __version__)
    except RunDirectoryError as error:
        parser.error(str(error))

    from gdtui.cli.commands.train.train import train

    return train(run, as_json=typed.json, debug=typed.debug)


def _watch(arguments: list[str]) -> int:
    from gdtui.cli.usage.commands import watch_parser

    parser = watch_parser()
    typed = parser.parse(arguments)
    if not _has_screen():
        parser.error("watching needs a terminal; without one, use: gdtui export")

    from engine.log.directory import RunDirectoryError, default_root
    from gdtui.cli.commands.runs.watch import open_run, run_watch

    try:
        run = open_run(typed.run_dir, default_root(), is_replay=typed.replay is not None)
    except RunDirectoryError as error:
        parser.error(str(error))
    return run_watch(run, replay=typed.replay, theme=typed.theme, fps=typed.fps, keys=typed.keys)


def _export(arguments: list[str]) -> int:
    from gdtui.cli.usage.commands import export_parser

    parser = export_parser()
    typed = parser.parse(arguments)

    from engine.log.directory import RunDirectory, RunDirectoryError
    from gdtui.export.csv_export import export, export_measurements, open_output

    try:
        run = RunDirectory.open(typed.run_dir)
        output = open_output(run, typed.output)
    except RunDirectoryError as error:
        parser.error(str(error))
    with output:
        return (export_measurements if typed.measurements else export)(run, output)


def _import(arguments: list[str]) -> int:
    from gdtui.cli.usage.commands import import_parser

    parser = import_parser()
    typed = parser.parse(arguments)

    from engine.log.directory import RunDirectoryError
    from gdtui.export.csv_import.rows import ImportFormatError
    from gdtui.export.csv_import.write import import_csv

    try:
        notes = import_csv(typed.file, typed.run_dir, __version__)
    except (ImportFormatError, RunDirectoryError) as error:
        parser.error(str(error))
    for note in notes:
        print(f"{parser.prog}: {note}", file=sys.stderr)
    return OK


def _runs(arguments: list[str]) -> int:
    from gdtui.cli.usage.commands import runs_parser

    parser = runs_parser()
    typed = parser.parse(arguments)
    if typed.yes and not typed.prune:
        parser.error("--yes goes with --prune")
    if typed.prune and not typed.yes and not _is_terminal(sys.stdin):
        parser.error("--prune asks, and there is no terminal to ask on; without one: --prune --yes")

    from engine.log.directory import default_root
    from gdtui.state import stored_runs

    if typed.prune:
        return stored_runs.prune(default_root(), is_sure=typed.yes)
    return stored_runs.show(default_root(), as_json=typed.json)


def _experiment(arguments: list[str]) -> int:
    from gdtui.cli.usage.lesson import experiment_parser

    parser = experiment_parser()
    typed = parser.parse(arguments)

    from engine.experiments.registry import find
    from engine.settings import SettingsError

    try:
        name = None if typed.name is None else find(typed.name).name
    except SettingsError as error:
        parser.error(str(error))

    from engine.experiments.job import ExperimentTask
    from engine.jobs.cores import fair_threads, usable_cores
    from gdtui.view.text.experiment_report import experiment, listing

    if name is None:
        return listing(as_json=typed.json)
    threads = typed.threads or fair_threads(usable_cores(), 1)
    task = ExperimentTask(name=name, seeds=tuple(range(typed.seeds)), device=typed.device, threads=threads)
    return experiment(task, as_json=typed.json)


def _problems(arguments: list[str]) -> int:
    from gdtui.cli.usage.commands import problems_parser

    typed = problems_parser().parse(arguments)

    from gdtui.cli.commands.learn.problems import show

    return show(as_json=typed.json)


def _sweep(arguments: list[str]) -> int:
    from gdtui.cli.usage.lesson import sweep_parser

    parser = sweep_parser()
    typed = parser.parse(arguments)
    below, typed.run_dir = typed.run_dir, None

    from engine.log.directory import RunDirectoryError
    from engine.sweep.run import Plan
    from gdtui.cli.commands.measure.sweep import run_sweep
    from gdtui.cli.prepare import begun, new_arm
    from gdtui.state.stored_runs import remove

    try:
        chosen, loaded_in = begun(parser, typed, None)
        remove(loaded_in)  # each arm has a directory of its own, and loads there
        for note in chosen.notes:
            print(f"{parser.prog}: {note}", file=sys.stderr)
        return run_sweep(Plan(chosen.settings, typed.memory_limit, partial(new_arm, below)), typed.form)
    except RunDirectoryError as error:
        parser.error(str(error))


_COMMANDS: Final[dict[str, Callable[[list[str]], int]]] = {
    "train": _train,
    "watch": _watch,
    "experiment": _experiment,
    "sweep": _sweep,
    "export": _export,
    "import": _import,
    "runs": _runs,
    "problems": _problems,
}


def _has_screen() -> bool:
    return _is_terminal(sys.stdin) and _is_terminal(sys.stdout)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()
