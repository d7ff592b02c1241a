"""The main function of a worker, the process that trains a variant until a command stops it."""

import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from engine.jobs.child_side import settle_process
from engine.jobs.output import redirect_output
from engine.log.file import LogError
from engine.log.filesystem.disk_errors import cannot_write
from engine.log.filesystem.private import remove_private
from engine.log.filesystem.safe_open import output_opened
from engine.log.writing.writer import LogWriter
from engine.worker.loop import Training
from engine.worker.mailbox import Mailbox
from engine.worker.protocol import LogRefused, WorkerReady, WorkerTask
from engine.worker.recording.recorder import Recorder

if TYPE_CHECKING:
    from engine.log.lineage.past import Past


def main(task: WorkerTask, pipe: Connection) -> None:
    """Run a worker in this process until it is stopped or its pipe ends."""
    settle_process()
    # A job scheduler signals all processes of a job: the session then stops its workers in order.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # If the session was killed, its workers remove the directory that it could not remove.
    mailbox = Mailbox(pipe, at_pipes_end=lambda: remove_private(task.stored))
    try:
        with output_opened(task.output) as output:
            redirect_output(output)
        past = _past(Path(task.log))
        log = LogWriter(Path(task.log), task.continued)
    except LogError as error:
        mailbox.send(LogRefused(detail=str(error)))
        return
    except OSError as error:
        path = Path(error.filename or task.log)
        mailbox.send(LogRefused(detail=cannot_write(error, path)))
        return

    def let_go() -> None:
        """Close what processes that read a Dataset must not inherit: the pipe and the lock."""
        pipe.close()
        log.abandon()

    os.register_at_fork(after_in_child=let_go)
    with log:
        mailbox.send(WorkerReady(pid=os.getpid(), log=log.identity))
        recorder = Recorder(log, mailbox, task.clock, task.number)
        mailbox.close_log = recorder.close_early
        goes_on = task.is_resumed and past.generation > 0
        Training(task, mailbox, recorder, past.generation, past if goes_on else None).run()


def _past(log: Path) -> "Past":
    from engine.log.lineage.past import Past  # imports numpy, as training does

    return Past.read(log)
