"""Programs that do not heed SIGTERM, and processes that leave their parents."""

import subprocess
import sys

_STUBBORN = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:  # a daemon
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
else:
    os.wait()
os.write(1, b"x")
time.sleep(600)
"""
_HEEDFUL = """
import subprocess, sys, time
subprocess.Popen(["sleep", "600"])
sys.stdout.write("xx")
sys.stdout.flush()
time.sleep(600)
"""
_HOST = """
import json, os, sys, time
from engine.programs.ending import GRACE_SECONDS, ProgramEnding, adopt_orphans, reap_orphans
from engine.programs.process import ChildProgram
from engine.session.host.processes import descendants
now = 0.0
adopt_orphans()
program = ChildProgram([sys.executable, "-c", sys.argv[1]], unblocked=set())
ending = ProgramEnding(program, clock=lambda: now)
printed = b""
while printed != b"xx":
    printed += program.read(1)
found = descendants(os.getpid()) - {os.getpid()}
ending.ask()
while program.status is None or not ending.is_over():
    ending.check()
    reap_orphans(program.pid)
    now += GRACE_SECONDS / 100 if sys.argv[2] == "stubborn" else 0
    time.sleep(0.01)
reap_orphans(program.pid)
left = descendants(os.getpid()) - {os.getpid()}
print(json.dumps([len(found), len(left), program.status, ending.detail]))
"""


def ended(program: str, kind: str) -> str:
    """Processes there were, those that are left, the program's status, and a sentence."""
    command = [sys.executable, "-c", _HOST, program, kind]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout


def test_a_program_that_ignores_signals_is_killed_with_its_daemons() -> None:
    detail = "2 processes were killed, since SIGTERM had not ended them within 10 s"
    assert ended(_STUBBORN, "stubborn") == f'[2, 0, -9, "{detail}"]\n'


def test_what_a_program_leaves_behind_ends_with_it() -> None:
    assert ended(_HEEDFUL, "heedful") == '[2, 0, -15, ""]\n'
