"""Orders of clients to a program."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.log.commands import Answer, Pause, TypeText
from engine.log.directory import RunDirectory
from engine.programs import PROGRAM
from engine.programs.journal import UNKNOWN_SETTINGS
from engine.programs.recording import ProgramRecording
from engine.session.hosted import OrderError
from engine.settings import RunSettings, Variant
from gdtui.cli.commands.program.loop import HostedProgram


class FakeProgram(SimpleNamespace):
    """A program, as far as its host types to it."""

    status: int | None = None
    has_terminal = True
    room = 100

    def type(self, data: bytes) -> bool:
        self.typed = data
        return len(data) <= self.room


@pytest.fixture
def recording(tmp_path: Path) -> ProgramRecording:
    variant = Variant(name="train", settings=UNKNOWN_SETTINGS)
    settings = RunSettings(variants=(variant,), problem="p", epochs=1, device=PROGRAM)
    made = ProgramRecording(RunDirectory.create(tmp_path / "run", settings, "0"))
    made.take(1, b"step 1 loss 3\nstep 2 loss 2\nstep 1 loss 1\n")
    return made


def hosted(recording: ProgramRecording, program: Any) -> HostedProgram:
    return HostedProgram(RunDirectory.open(recording.path), program, recording)


def test_what_is_typed_reaches_the_program_with_its_control_characters(
    recording: ProgramRecording,
) -> None:
    program = FakeProgram()
    hosted(recording, program).obey({"train": TypeText(id=0, data=b"yes\r\x04")})
    assert program.typed == b"yes\r\x04"


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"status": 0}, "has ended"),
        ({"has_terminal": False}, "no terminal of its own"),
        ({"room": 2}, "nothing more fits"),
    ],
)
def test_what_cannot_be_typed_is_refused(
    recording: ProgramRecording, state: dict[str, Any], reason: str
) -> None:
    with pytest.raises(OrderError, match=reason):
        hosted(recording, FakeProgram(**state)).obey({"train": TypeText(id=0, data=b"yes")})


def test_answers_are_taken_once_and_other_commands_never(recording: ProgramRecording) -> None:
    host = hosted(recording, FakeProgram())
    host.obey({"train": Answer(id=0, choice="same")})
    assert recording.remarks[-1] == "answered: it is the same training, whose curve goes on"
    with pytest.raises(OrderError, match="no open question"):
        host.obey({"train": Answer(id=0, choice="same")})
    with pytest.raises(OrderError, match=r"gdtui\.track"):
        host.obey({"train": Pause(id=0)})
