"""`gdtui verify`: reports which files of a run are whole, and the damage in the others."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.log.filesystem.places import find_run
from gdtui.cli.command import Argument, Flag, GdtuiCommand, in_group
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.completion import STORED_RUN, stored_runs
from gdtui.cli.streams import print_json, print_text

if TYPE_CHECKING:
    import click

    from gdtui.state.runs.file_check import FileCheck
    from gdtui.state.runs.verify import RunCheck

_EXAMPLES: Final = """\
examples:
  gdtui verify ./my-run
  gdtui verify ./my-run --json | jq .files

exit status: 0 every file is whole, 1 a file is damaged, missing or ends early"""

_HEADINGS: Final = ("file", "state", "records", "bytes")


def verify(ctx: "click.Context", run_dir: Path, json: bool) -> int:
    """Read every file of a run to its end, and report which are whole.

    A log is checked record by record: its checksums, the range of each number, and the order of the
    records. In a damaged log, the records before the damage can still be watched and exported. A
    log ends early if the process that trained was killed, or if the file was cut off. A checkpoint
    is whole if its checksums are right and it is of this training; one that is not is not used.
    """
    from engine.log.directory import RunDirectoryError
    from gdtui.state.runs.verify import verify as check

    try:
        found = check(run_dir)
    except RunDirectoryError as error:
        ctx.fail(str(error))
    if json:
        print_json({"is_whole": found.is_whole, **_document(found)})
    else:
        _print(found)
    return ExitCode.OK if found.is_whole else ExitCode.FAILED


def _document(found: "RunCheck") -> dict[str, object]:
    return {"run_dir": found.run_dir, "is_running": found.is_running, "files": found.files}


def _print(found: "RunCheck") -> None:
    from gdtui.view.text.reports.align import align_columns

    print_text(align_columns([_HEADINGS, *map(_row, found.files)], left={0, 1}))
    if damaged := [each for each in found.files if each.damage is not None]:
        print_text()
    for each in damaged:
        assert each.damage is not None
        print_text(f"{each.file}: {each.damage.reason}")
    sound = (each for each in found.files if each.damage is None)
    if used := [each.checkpoint for each in sound if each.checkpoint is not None]:
        print_text()
    for variant in dict.fromkeys(each.variant for each in used):
        batches = [f"{each.batch:,}" for each in used if each.variant == variant]
        print_text(f"{variant}: checkpoints after batch {', '.join(batches)}")


def _row(each: "FileCheck") -> tuple[str, ...]:
    records = "–" if each.records is None else f"{each.records:,}"
    return each.file, str(each.state), records, f"{each.bytes:,}"


command = GdtuiCommand(
    verify,
    "gdtui verify RUN_DIR [--json]",
    _EXAMPLES,
    in_group(
        "input and output",
        Argument(
            "run_dir",
            "RUN_DIR",
            STORED_RUN,
            type=find_run,
            shell_complete=stored_runs,
        ),
        Flag("--json", "one JSON document on stdout, no table"),
    ),
)
