"""The records in the logs of a run.

`VARIANT.gdlog` holds the records of one worker, `session.gdlog` those that no worker can write.
Counters `batch`, `update` and `epoch` count from 1 and are contiguous in each (variant,
generation); positions (`samples`, `seconds`) are those before.
"""

from engine.log.records.base import Record
from engine.log.records.chunk import Chunk
from engine.log.records.session import CommandSent, WorkerDied, WorkerReplaced
from engine.log.records.state import State
from engine.log.records.worker import (
    Changed,
    End,
    Evaluation,
    Measured,
    MeasuringSet,
    Planned,
    Refused,
    Started,
    StateChanged,
    Validated,
)

AnyRecord = (
    Started
    | Chunk
    | Evaluation
    | Validated
    | Changed
    | Refused
    | StateChanged
    | Planned
    | Measured
    | MeasuringSet
    | End
    | CommandSent
    | WorkerDied
    | WorkerReplaced
)

__all__ = [
    "AnyRecord",
    "Changed",
    "Chunk",
    "CommandSent",
    "End",
    "Evaluation",
    "Measured",
    "MeasuringSet",
    "Planned",
    "Record",
    "Refused",
    "Started",
    "State",
    "StateChanged",
    "Validated",
    "WorkerDied",
    "WorkerReplaced",
]
