"""The records in the logs of a run.

`VARIANT.gdlog` holds the records of a variant's workers, `session.gdlog` the records that workers
cannot write. The counters `batch`, `update` and `epoch` count from 1 and are contiguous within each
(variant, generation); a generation with an origin goes on from the origin's counters. Positions
(`samples`, `seconds`) are those before the first batch.
"""

from engine.log.records.base import Record
from engine.log.records.chunk import Chunk
from engine.log.records.execution import Execution
from engine.log.records.origin import Origin, Point
from engine.log.records.remarks import Remarked
from engine.log.records.scalars import Scalars
from engine.log.records.session import (
    CommandSent,
    VariantAdded,
    VariantRemoved,
    WorkerDied,
    WorkerReplaced,
)
from engine.log.records.state import State
from engine.log.records.worker import (
    Changed,
    End,
    Evaluation,
    Measured,
    MeasuringSet,
    Planned,
    Refused,
    Resumed,
    Started,
    StateChanged,
    Validated,
)

AnyRecord = (
    Started
    | Chunk
    | Evaluation
    | Execution
    | Validated
    | Changed
    | Refused
    | StateChanged
    | Planned
    | Measured
    | MeasuringSet
    | Resumed
    | Scalars
    | Remarked
    | End
    | CommandSent
    | WorkerDied
    | WorkerReplaced
    | VariantAdded
    | VariantRemoved
)

__all__ = [
    "AnyRecord",
    "Changed",
    "Chunk",
    "CommandSent",
    "End",
    "Evaluation",
    "Execution",
    "Measured",
    "MeasuringSet",
    "Origin",
    "Planned",
    "Point",
    "Record",
    "Refused",
    "Remarked",
    "Resumed",
    "Scalars",
    "Started",
    "State",
    "StateChanged",
    "Validated",
    "VariantAdded",
    "VariantRemoved",
    "WorkerDied",
    "WorkerReplaced",
]
