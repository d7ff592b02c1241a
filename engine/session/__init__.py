"""Starts, commands, monitors and stops the workers of a run.

session        the only interface to the workers: start, commands, notices, close
command_queue  numbers, logs and sends commands
remote_worker  a variant's worker as seen from the session's process
session_log    the log of what workers cannot record themselves
run_files      checks that the run's files are still where they were opened
"""

from engine.session.session import Session

__all__ = ["Session"]
