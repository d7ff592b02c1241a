"""Progress on stderr: a line redrawn on a terminal, one a minute in a log, nothing when quiet."""

import io

import pytest
from replay_logs import Clock

from gdtui.cli.commands.progress_report import ProgressReport, progress_report
from gdtui.view.text.progress.line import CommandProgress

SAID = "48% · 00:42 · 00:46 left · SGD 3/20"
HALF = CommandProgress(share=0.48, elapsed=42, left=46, activities=("SGD 3/20",))


class LogFile(io.StringIO):
    encoding = "utf-8"


class Terminal(LogFile):
    """A terminal of unknown width, seen from the program."""

    def isatty(self) -> bool:
        return True


class AsciiTerminal(Terminal):
    encoding = "ascii"


class LostTerminal(LogFile):
    """A terminal until it hangs up; from then on what is written goes to a file."""

    is_lost = False

    def isatty(self) -> bool:
        return not self.is_lost


def test_a_terminal_that_has_become_a_file_gets_lines_instead_of_redraws() -> None:
    clock, stream = Clock(), LostTerminal()
    report = ProgressReport("train", stream, clock)
    report.show(HALF)
    stream.is_lost = True
    stream.truncate(0)
    stream.seek(0)
    for _ in range(300):  # half a minute and more
        clock.now += 0.2
        report.show(HALF)
    report.erase()
    lines = stream.getvalue().splitlines()
    assert lines == [f"gdtui train: {SAID}"]


@pytest.fixture(autouse=True)
def term(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")


def test_on_a_terminal_one_line_is_redrawn_and_gone_at_the_end() -> None:
    clock, stream = Clock(), Terminal()
    report = ProgressReport("train", stream, clock)
    report.show(HALF)
    assert stream.getvalue() == f"\r\x1b[Ktrain  ━━━━━━━━━───────────  {SAID}"
    report.erase()
    assert stream.getvalue().endswith(f"{SAID}\r\x1b[K")
    assert "\n" not in stream.getvalue()
    report.erase()
    assert stream.getvalue().count("\x1b[K") == 2


def test_it_is_redrawn_ten_times_a_second_and_only_where_it_changed() -> None:
    clock, stream = Clock(), Terminal()
    report = ProgressReport("train", stream, clock)
    report.show(HALF)
    drawn = stream.getvalue()
    clock.now += 0.05
    assert not report.is_due
    clock.now += 0.06
    assert report.is_due
    report.show(HALF)
    assert stream.getvalue() == drawn


@pytest.mark.parametrize("kind", ["file", "dumb terminal"])
def test_without_a_terminal_that_redraws_it_is_a_line_a_minute(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    clock, stream = Clock(), LogFile() if kind == "file" else Terminal()
    report = ProgressReport("train", stream, clock)
    for _ in range(59):
        clock.now += 1
        report.show(HALF)
    assert stream.getvalue() == ""
    for _ in range(61):
        clock.now += 1
        report.show(HALF)
    report.erase()
    assert stream.getvalue().splitlines() == [f"gdtui train: {SAID}"] * 2


def test_a_terminal_that_knows_ascii_only_gets_that() -> None:
    stream = AsciiTerminal()
    ProgressReport("train", stream, Clock()).show(HALF)
    assert stream.getvalue().isascii()
    assert "48% | 00:42" in stream.getvalue()


def test_a_stream_that_breaks_hears_no_more_and_harms_nobody() -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    report = ProgressReport("train", Gone(), Clock())
    report.show(HALF)
    report.erase()
    assert not report.is_due


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_report("train", is_quiet=True) as report:
        assert not report.is_due
        report.show(HALF)
    assert capsys.readouterr() == ("", "")


def test_closed_streams_are_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    with progress_report("train") as report:
        report.show(HALF)
