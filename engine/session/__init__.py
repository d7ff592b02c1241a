"""The workers of a run: started, commanded, watched over, and stopped.

session        the one way to them: start, commands, notices, close
command_queue  commands on their way: numbered, logged, sent
remote_worker  one variant's worker, as it is known here
session_log    the log of what no worker can write
run_files      whether the run's files are still where they were opened
"""

from engine.session.session import Session

__all__ = ["Session"]
