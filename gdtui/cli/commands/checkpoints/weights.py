"""`gdtui weights`: a variant's weights at a checkpoint, as a safetensors file."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.log.filesystem.places import find_run
from gdtui.cli.command import FILE, Argument, Flag, GdtuiCommand, Option, in_group
from gdtui.cli.exit_codes import ExitCode
from gdtui.cli.options.completion import STORED_RUN, stored_runs
from gdtui.cli.streams import print_error, print_json, print_text
from gdtui.cli.value_types import label, whole

if TYPE_CHECKING:
    import click

    from engine.log.directory import RunDirectory

_EXAMPLES: Final = """\
examples:
  gdtui weights ./my-run                                 the checkpoints, one a line
  gdtui weights ./my-run SGD -o sgd.safetensors          the last weights
  gdtui weights ./my-run SGD --at 4000 -o sgd.safetensors

  from safetensors.torch import load_file
  model.load_state_dict(load_file("sgd.safetensors"))

exit status: 0 written, 1 no checkpoint can be read, 2 usage error"""


_LAST: Final = 10**15
"""A batch that no training reaches."""


def weights(
    ctx: "click.Context",
    run_dir: Path,
    variant: str | None,
    at: int | None,
    output: Path | None,
    json: bool,
) -> int:
    """Write a variant's weights as safetensors, or list the checkpoints of a run.

    Written are those of the last checkpoint, or of the last one at or before the batch given by
    --at. The past of a variant counts: the generations before a resume or rewind, and the variant
    that it was forked from. Runs no code of the run or its problem.
    """
    from engine.log.directory import RunDirectory, RunDirectoryError

    try:
        run = RunDirectory.open(run_dir)
    except RunDirectoryError as error:
        ctx.fail(str(error))
    if variant is None and output is None and at is None:
        return _list(run, as_json=json)
    name = _variant(ctx, run, variant)
    if output is None:
        ctx.fail("-o FILE.safetensors is required")
    return _write(run, name, at, output)


def _variant(ctx: "click.Context", run: "RunDirectory", word: str | None) -> str:
    """The variant with this name or number; without a word, the only one of the run."""
    names = [each.name for each in run.info.settings.variants]
    if word is None and len(names) == 1:
        return names[0]
    if word in names:
        return word
    if word is not None and word.isdecimal() and 1 <= int(word) <= len(names):
        return names[int(word) - 1]
    shown = ", ".join(f"{k} {name}" for k, name in enumerate(names, start=1))
    if word is None:
        ctx.fail(f"name the variant whose weights to write: {shown}")
    return ctx.fail(f"unknown variant {word!r}; variants: {shown}")


def _list(run: "RunDirectory", *, as_json: bool) -> int:
    """Print the checkpoints of a run; returns the exit status."""
    from engine.checkpoint.store import CheckpointStore

    rows = [
        {
            "variant": variant.name,
            "generation": each.generation,
            "batch": each.batches,
            "bytes": each.bytes,
            "file": str(each.path),
        }
        for variant in run.info.settings.variants
        for each in CheckpointStore(run.variant_log(variant.name)).stored()
    ]
    if as_json:
        print_json({"run_dir": str(run.path), "checkpoints": rows})
    elif not rows:
        print_text(f"{run.path} has no checkpoints")
    for row in () if as_json else rows:
        of = f" of generation {row['generation']}" if row["generation"] != 1 else ""
        print_text(f"{row['variant']}: batch {row['batch']:,}{of}, {row['bytes']:,} bytes")
    return ExitCode.OK


def _write(run: "RunDirectory", name: str, at: int | None, output: Path) -> int:
    """Write the weights of a variant; returns the exit status."""
    from engine.checkpoint.export import last_checkpoint, weights_of, write_weights
    from engine.checkpoint.file import CheckpointError
    from engine.log.lineage.points import logs_of

    try:
        found, refused = last_checkpoint(logs_of(run), name, _LAST if at is None else at)
        weights = weights_of(found)
    except (CheckpointError, ValueError) as error:
        print_error(f"gdtui weights: {name}: {error}")
        return ExitCode.FAILED
    for each in refused:
        print_error(f"gdtui weights: {each}; the one before is taken")
    place = found.header.place
    note = {"variant": name, "batch": str(place.batches), "update": str(place.updates)}
    try:
        size = write_weights(output, weights, note)
    except OSError as error:
        print_error(f"gdtui weights: cannot write {output}: {error.strerror}")
        return ExitCode.FAILED
    where = f"batch {place.batches:,} (update {place.updates:,}, epoch {place.epoch:,})"
    print_text(f"{output}: {name} after {where}, {len(weights)} tensors, {size:,} bytes")
    if at is not None and place.batches != at:
        print_error(f"gdtui weights: there is no checkpoint at batch {at:,}; this one is before it")
    return ExitCode.OK


command = GdtuiCommand(
    weights,
    "gdtui weights RUN [[VARIANT] -o FILE.safetensors] [--at BATCH]",
    _EXAMPLES,
    [
        *in_group(
            "run",
            Argument("run_dir", "RUN", STORED_RUN, type=find_run, shell_complete=stored_runs),
            Argument(
                "variant",
                "VARIANT",
                "its name or number [the only one, or list the checkpoints]",
                type=label,
                required=False,
            ),
        ),
        Option("-o --output", "FILE", "the file to write", type=FILE),
        Option(
            "--at",
            "BATCH",
            "the last checkpoint at or before this batch",
            type=whole(0),
            shown="the last one",
        ),
        Flag("--json", "the list as one JSON document on stdout"),
    ],
)
