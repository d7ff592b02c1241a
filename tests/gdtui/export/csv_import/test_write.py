"""Imports fill in what a CSV lacks, name faults by their line, and never stop half done."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from import_bench import exported, records

from engine.log.directory import RunDirectory, RunDirectoryError
from engine.log.follow import Follower
from engine.log.records import Changed, Chunk, Record, Started, State, StateChanged
from engine.log.writing.writer import LogWriter
from gdtui.chart.scene.polyline import Axis
from gdtui.export.csv_import.rows import ImportFormatError
from gdtui.export.csv_import.write import import_csv
from gdtui.history import History

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
MakeRun = Callable[..., RunDirectory]


@pytest.fixture
def cli(cli_in_process: Cli) -> Cli:
    """These commands need no process of their own."""
    return cli_in_process


HEAD = "variant,batch,loss\n"
MANY_VARIANTS = HEAD + "".join(f"v{k},1,1\n" for k in range(1001))
MANY_ROWS = HEAD + "".join(f"a,{k},1\n" for k in range(1, 70_000))


def table(run: RunDirectory) -> dict[str, list[str]]:
    """The exported columns."""
    head, *rows = [line.split(",") for line in exported(run).decode().splitlines()]
    return dict(zip(head, map(list, zip(*rows, strict=True)), strict=True))


# --- What is filled in ----------------------------------------------------------------------------


def test_three_columns_are_enough(imported: Callable[[str], RunDirectory]) -> None:
    run = imported(
        "loss,variant,batch\n" + "".join(f"{k / 8},b,{k}\n{k},a,{k}\n" for k in range(1, 41))
    )
    assert [variant.name for variant in run.info.settings.variants] == ["b", "a"]
    assert run.info.settings.problem == "in.csv"
    columns = table(run)
    assert columns["batch"] == columns["update"] == [*map(str, range(1, 41))] * 2
    assert columns["samples"] == [*map(str, range(40))] * 2
    assert (
        set(columns["generation"]) == set(columns["epoch"]) == set(columns["batch_size"]) == {"1"}
    )
    assert set(columns["accumulation_steps"]) == {"1"}
    assert set(columns["lr"]) == {"0.01"}
    assert [float(each) for each in columns["seconds"][:40]] == [k / 2 for k in range(40)]
    assert [float(each) for each in columns["loss"][:40]] == [k / 8 for k in range(1, 41)]
    assert {record.n for record in records(run, Started) if isinstance(record, Started)} == {2}


def test_an_epoch_is_as_long_as_the_epochs_are_or_a_20th(
    imported: Callable[[str], RunDirectory],
) -> None:
    def n(text: str) -> int:
        (begun,) = records(imported(text), Started)
        assert isinstance(begun, Started)
        return begun.n

    assert n("variant,batch,loss\n" + "".join(f"a,{k},1\n" for k in range(1, 2001))) == 100
    assert n("variant,batch,epoch,batch_size,loss\na,1,1,4,1\na,2,1,3,1\na,3,2,4,1\n") == 7


def test_what_samples_updates_and_epochs_tell_of_the_rest(
    imported: Callable[[str], RunDirectory],
) -> None:
    columns = table(
        imported(
            "variant,batch,samples,update,loss\na,1,0,1,1\na,2,8,1,1\na,3,16,2,1\na,4,20,2,1\n"
        )
    )
    assert columns["batch_size"] == ["8", "8", "4", "4"]
    assert set(columns["accumulation_steps"]) == {"2"}
    columns = table(
        imported(
            "variant,batch,epoch,accumulation_steps,batch_size,loss\n"
            "a,1,1,2,4,1\na,2,1,2,4,1\na,3,1,2,2,1\na,4,2,2,4,1\na,5,2,2,4,1\na,6,2,2,2,1\n"
        )
    )
    assert columns["update"] == ["1", "1", "2", "3", "3", "4"]
    assert columns["samples"] == ["0", "4", "8", "10", "14", "18"]


def test_updates_of_uneven_length_stay_as_they_are(imported: Callable[[str], RunDirectory]) -> None:
    updates = [1, 1, 1, 2, 3, 3, 4, 4, 4, 4, 4, 6]
    text = "".join(f"a,{k},{update},3,0,1\n" for k, update in enumerate(updates, start=1))
    run = imported("variant,batch,update,accumulation_steps,seconds,loss\n" + text)
    assert table(run)["update"] == [*map(str, updates)]


def test_losses_that_are_no_numbers_are_gaps(imported: Callable[[str], RunDirectory]) -> None:
    run = imported("variant,batch,loss\na,1,\na,2,nan\na,3,-inf\na,4,1e99\na,5, \na,6,0.1\n")
    assert table(run)["loss"] == ["nan", "nan", "-inf", "inf", "nan", "0.1"]
    assert [*records(run, StateChanged)][-1].state is State.FINISHED  # type: ignore[union-attr]
    follower = Follower(run)
    list(follower.read())
    assert follower.unfinished() == []


def test_a_change_of_settings_is_marked_and_a_short_last_batch_is_none(
    imported: Callable[[str], RunDirectory],
) -> None:
    rows = [
        (1, 8, 0.1),
        (1, 8, 0.1),
        (1, 4, 0.1),
        (2, 8, 0.1),
        (2, 8, 0.5),
        (2, 4, 0.5),
        (3, 2, 0.5),
        (3, 2, 0.5),
    ]
    text = "".join(
        f"a,{k},{epoch},{size},{lr},1\n" for k, (epoch, size, lr) in enumerate(rows, start=1)
    )
    changes = records(imported("variant,batch,epoch,batch_size,lr,loss\n" + text), Changed)
    made = [
        (c.batch, c.settings.batch_size, c.settings.lr) for c in changes if isinstance(c, Changed)
    ]
    assert made == [(5, 8, 0.5), (7, 2, 0.5)]


def test_a_schedule_leaves_no_wall_of_marks(imported: Callable[[str], RunDirectory]) -> None:
    text = "".join(f"a,{k},{k / 1000},1\n" for k in range(300))  # from 0, and lr 0 at first
    run = imported("variant,batch,lr,loss\n" + text)
    assert records(run, Changed) == []
    assert [float(lr) for lr in table(run)["lr"]] == [k / 1000 for k in range(300)]
    assert table(run)["batch"] == [*map(str, range(1, 301))]


def test_generations_stay_apart(imported: Callable[[str], RunDirectory]) -> None:
    run = imported("variant,generation,batch,loss\na,1,1,1\na,1,2,1\na,3,1,5\n")
    columns = table(run)
    assert columns["generation"] == ["1", "1", "3"]
    assert columns["samples"] == ["0", "1", "0"]
    history = History(10)
    for chunk in records(run, Chunk)[-1:]:
        assert isinstance(chunk, Chunk)
        history.append(chunk)
    assert history.end(Axis.SAMPLES) == 1


# --- What is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: no column loss: the first line must name columns"),
        ("variant,batch\na,1\n", ":1: no column loss: choose one with --columns loss=NAME; the"),
        (
            "step,train_a_loss,train_loss,tr_loss\n",
            "the loss may be 'train_loss' or 'tr_loss': cho",
        ),
        ("variant,batch,loss,LOSS\n", ":1: two columns loss"),
        ("variant,batch,loss\n", "no rows"),
        ("variant,batch,loss\na,1,abc\n", ":2: loss 'abc' is not a number"),
        ("variant,batch,loss\na,1,1\n\n\na,x,1\n", ":5: batch 'x' is not a whole number"),
        ("variant,batch,loss\na,3,1\na,1,1\n", ":2: variant 'a': its first batch is 3"),
        (HEAD + "a,1,1\nb,1,1\na,2,1\nb,1,1\n", ":5: variant 'b': batch 1 cannot follow"),
        ("variant,batch,loss\na,7,1\na,7,1\n", ":2: variant 'a': its first batch is 7"),
        ("variant,batch,loss\na,1\n", ":2: 2 fields, but the first line names 3"),
        ("variant,batch,loss\na,1,1,1\n", ":2: 4 fields"),
        ("variant,batch,loss\n,1,1\n", ":2: variant '': must be a name"),
        ("variant,batch,loss\na\x1b[1m,1,1\n", ":2: variant 'a\\x1b[1m': must be a name"),
        ("variant,batch,loss,lr\na,1,1,-1\n", ":2: lr '-1' is not a number from 0"),
        ("variant,batch,loss,lr\na,1,1,nan\n", ":2: lr 'nan'"),
        ("variant,batch,loss,epoch\na,1,1,-1\n", ":2: epoch '-1' is not a number from 0"),
        ("variant,batch,loss,epoch\na,1,1,2\na,2,1,1\n", ":3: variant 'a': epoch 1 after 2"),
        ("variant,batch,loss,seconds\na,1,1,2\na,2,1,1\n", ":3: variant 'a': seconds 1.0 after"),
        (
            "variant,batch,loss,samples,batch_size\na,1,1,0,9\na,2,1,8,9\n",
            ":3: variant 'a': samples",
        ),
        ("variant,batch,loss,generation\na,1,1,2\na,1,1,1\n", ":3: variant 'a': generation 1"),
        ("variant,batch,loss\na,99999999999999999999,1\n", ":2: batch '99999999999999999999'"),
        ('note,variant,batch,loss\n"two\nlines",a,1,1\n"x",a,2,bad\n', ":4: loss 'bad'"),
        (b"variant,batch,loss\na\xff,1,1\n", ":2: variant 'a\\udcff'"),
        (MANY_VARIANTS, ":1002: variant 'v1000' is one too many"),
        (MANY_ROWS + "a,5,1\nb,x,1\n", ":70002: batch 'x'"),
    ],
)
def test_what_is_wrong_is_named_by_its_line_and_nothing_is_left(
    text: str | bytes, said: str, imported: Callable[[str | bytes], RunDirectory], tmp_path: Path
) -> None:
    with pytest.raises(ImportFormatError) as error:
        imported(text)
    assert str(error.value).startswith(f"{tmp_path / 'in.csv'}:")
    assert said in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_place_that_is_taken_stays_as_it_is(make_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("variant,batch,loss\na,1,1\n")
    run = make_run()
    before = {file: file.read_bytes() for file in run.path.iterdir()}
    for place, said in (
        (run.path, "already holds a run"),
        (tmp_path, "not an empty"),
        (tmp_path / "in.csv", "not an"),
    ):
        with pytest.raises(RunDirectoryError, match=said):
            import_csv(str(tmp_path / "in.csv"), place, "0")
    assert {file: file.read_bytes() for file in run.path.iterdir()} == before


def test_what_fails_in_the_writing_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.csv").write_text("variant,batch,loss\na,1,1\n")

    def full(_log: LogWriter, _record: Record) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LogWriter, "append", full)
    with pytest.raises(RunDirectoryError, match="No space left"):
        import_csv(str(tmp_path / "in.csv"), tmp_path / "run", "0")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


# --- The command ----------------------------------------------------------------------------------


def test_from_stdin_and_a_note_on_columns_that_mean_nothing(cli: Cli, tmp_path: Path) -> None:
    text = "variant,batch,step,loss\n" + "".join(f"a,{k},{k},1\n" for k in range(1, 9))
    result = cli("import", "-", tmp_path / "new" / "run", text_in=text)
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == "gdtui import: column 'step' is unknown and ignored\n"
    assert RunDirectory.open(tmp_path / "new" / "run").info.settings.problem == "stdin"
    exported_rows = cli("export", tmp_path / "new" / "run")
    assert (exported_rows.returncode, exported_rows.stdout.count("\n")) == (0, 9)


def test_a_bad_row_exits_2_with_one_line(cli: Cli, tmp_path: Path) -> None:
    result = cli("import", "-", tmp_path / "run", text_in="variant,batch,loss\na,1,abc\n")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "gdtui import: stdin:2: loss 'abc' is not a number\n"
    assert list(tmp_path.iterdir()) == []


def test_the_list_of_runs_calls_it_finished(cli: Cli, tmp_path: Path) -> None:
    place = tmp_path / "state" / "gdtui" / "runs" / "mine"
    assert cli("import", "-", place, text_in="variant,batch,loss\na,1,1\n").returncode == 0
    assert "finished" in cli("runs").stdout
