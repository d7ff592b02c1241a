"""The viewer's end of a separate process that computes a run's landscape.

Imports no torch; landscape/server.py runs in the process. A survey belongs to one viewer and is not
stored.
"""

from collections.abc import Sequence
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final

import msgspec

from engine.jobs.child import Child
from engine.jobs.fork_server import start_process
from engine.landscape.protocol import AnySurveyMessage, SurveyFailed, SurveyRequest, SurveyTask
from engine.log.directory import RunDirectory
from engine.settings.text import cleaned

_DECODER: Final = msgspec.msgpack.Decoder(AnySurveyMessage)


class Surveyor:
    """A process that surveys the requested part of the plane until it is closed."""

    def __init__(self, run: RunDirectory, others: Sequence[RunDirectory] = ()) -> None:
        """Its output goes to the run's output file if the run is ours; other runs are only read.

        `others` are runs that began at the same weights, whose trajectories are shown as well.
        """
        task = SurveyTask(
            run=str(run.path.absolute()),
            info=run.info,
            others=tuple(
                str((each.path / log).absolute()) for each in others for log in each.info.logs
            ),
            stored=run.custody.stored,
            output=str(run.server_output) if run.is_ours else "",
        )
        self._child = Child(partial(_start, task), "surveyor")
        self._has_failed = False

    def request(self, wanted: SurveyRequest) -> None:
        """Survey this part of the plane from now on."""
        self._child.send(msgspec.msgpack.encode(wanted))

    def poll(self, most: int = 200) -> list[AnySurveyMessage]:
        """Its messages since the last call, at most `most`; never blocks."""
        messages = [cleaned(_DECODER.decode(each)) for each in self._child.receive(most=most)]
        if self._child.has_ended and not self._has_failed:
            self._has_failed = True
            failure = self._child.start_failure
            detail = "its process has died: press esc, then v to start a new one"
            if failure is not None:
                detail = f"its process could not be started ({failure})"
            messages.append(SurveyFailed(detail=detail))
        return messages

    def close(self) -> None:
        """End the process."""
        self._child.close()


def _start(task: SurveyTask) -> tuple[BaseProcess, Connection]:
    from engine.landscape import server  # imported late, so that the screen need not wait for it

    return start_process(server.main, (task,), name="surveyor")
