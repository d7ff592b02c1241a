"""The job that runs a problem's file first: tries it out, stores its data, reports its facts.

Imports torch only when it runs.
"""

from pathlib import Path
from typing import Final

import msgspec

from engine.jobs.messages import ReportProgress
from engine.jobs.output import redirect_output
from engine.log.filesystem.safe_open import output_opened
from engine.problems.error_messages import explained
from engine.problems.user_file import is_file
from engine.settings import DataReading, DataSettings, LossAudit, LossAverage

AUDIT_SECONDS: Final = 0.05
"""Time limit for the audit of a loss: 2% of the time that a run takes to start."""


class LoadTask(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a loader receives when it starts."""

    problem: str
    data: DataSettings | None = None
    """The file with the problem's data."""
    seed: int
    device: str
    threads: int
    stored: str
    """The private directory for the files that workers map and read."""
    output: str
    audit_seconds: float = AUDIT_SECONDS


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a problem, as found by its loader."""

    n: int
    validation_n: int
    """Number of held-out samples, or 0."""
    model: str
    parameters: int
    warnings: tuple[str, ...] = ()
    average: LossAverage | None = None
    """The quantity that the loss is averaged over."""
    audit: LossAudit | None = None
    """The comparison of the loss with its parts' losses; None if there are too few samples."""
    defaults: dict[str, str] = msgspec.field(default_factory=dict)
    """The problem's suggested settings by option name, in the form in which a user types them."""
    reading: DataReading | None = None
    """The reading of the data file; None for problems without one."""


def load_here(task: LoadTask, report: ReportProgress) -> Loaded:
    """Load the problem in this process; JobError says what is wrong with it.

    Its message is one line with the file, and the line number if known.
    """
    with explained(task.problem):
        with output_opened(task.output) as output:
            redirect_output(output)
        return _load(task)


def _load(task: LoadTask) -> Loaded:
    import torch

    from engine.problems.handover.description import store_description
    from engine.problems.handover.tensors import store_tensors
    from engine.problems.handover.user_problem import store_made
    from engine.problems.opening import open_first
    from engine.problems.trial import try_out
    from engine.training.devices.errors import is_out_of_memory
    from engine.training.devices.process import take_device

    torch.set_num_threads(task.threads)
    device = take_device(task.device).device
    opening = open_first(task.problem, task.seed, task.data)
    problem = opening.problem
    try:
        facts = try_out(problem, task.seed, device, audit_seconds=task.audit_seconds)
    except Exception as error:
        if device.type == "cpu" or not is_out_of_memory(error):
            raise
        cpu = torch.device("cpu")
        facts = try_out(problem, task.seed, cpu, audit_seconds=task.audit_seconds)
    store_tensors(problem, Path(task.stored))
    if opening.made is not None:
        store_made(opening.made, Path(task.stored))
    if not is_file(task.problem):
        store_description(problem, Path(task.stored))
    defaults = {name: _text(value) for name, value in problem.defaults.items()}
    if problem.optimizer is not None:
        defaults.setdefault("optimizer", "own")
    if problem.scheduler is not None:
        defaults.setdefault("schedule", "own")
    told = () if facts.audit is None or facts.audit.is_big_batch is not False else (facts.audit,)
    said = (*problem.notes, *opening.notes, *facts.warnings, *(audit.sentence for audit in told))
    facts = msgspec.structs.replace(facts, warnings=said)
    return Loaded(**msgspec.structs.asdict(facts), defaults=defaults, reading=problem.reading)


def _text(value: object) -> str:
    """A default as a user would type it, with commas between the values for the variants."""
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    return str(value)
