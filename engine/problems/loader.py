"""A loader's main: the process in which a problem's file is run first. Reports what it found, and ends."""

import traceback
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from engine.problems.error_messages import explain
from engine.problems.user_file import file_of, is_file
from engine.worker.mailbox import Mailbox
from engine.worker.main import settle_process
from engine.worker.tasks import Loaded, LoadFailed, LoadTask


def main(task: LoadTask, pipe: Connection) -> None:
    """Load the problem, and say what it is or what is wrong with it."""
    settle_process(Path(task.output))
    mailbox = Mailbox(pipe)  # ends this process with its session
    try:
        note: Loaded | LoadFailed = _load(task)
    except BaseException as error:  # a user's file may do anything: exit, too
        text = explain(error, file_of(task.problem))
        note = LoadFailed(detail=text, traceback="".join(traceback.format_exception(error)))
    mailbox.send(note)


def _load(task: LoadTask) -> Loaded:
    import torch

    from engine.problems.opening import open_problem, store, store_problem
    from engine.problems.trial import try_out
    from engine.training.devices import find_device, is_out_of_memory

    torch.set_num_threads(task.threads)
    device = find_device(task.device)
    problem = open_problem(task.problem, task.seed, task.data)
    try:
        facts = try_out(problem, task.seed, device)
    except Exception as error:
        if device.type == "cpu" or not is_out_of_memory(error):
            raise
        facts = try_out(problem, task.seed, torch.device("cpu"))
    store(problem, Path(task.stored))
    if not is_file(task.problem):
        store_problem(problem, Path(task.stored))
    defaults = {name: _text(value) for name, value in problem.defaults.items()}
    if problem.optimizer is not None:
        defaults.setdefault("optimizer", "own")
    facts = msgspec.structs.replace(facts, warnings=(*problem.notes, *facts.warnings))
    return Loaded(**msgspec.structs.asdict(facts), defaults=defaults)


def _text(value: object) -> str:
    """A default as it would be typed: a value for each variant, separated by commas."""
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    return str(value)
