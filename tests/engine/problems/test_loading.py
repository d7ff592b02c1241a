"""Problems in users' files: their loader's words, right or wrong, and how they then train."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
from msgspec.structs import replace
from terminal import children_of

from engine.log.filesystem.private import PrivateDirectory
from engine.log.records import Chunk, State
from engine.problems.loader import Loaded, LoadTask
from engine.problems.loading import LoadingError, load

HEAD = dedent(
    """\
    import torch
    from torch import nn

    from engine import Problem

    X, Y = torch.randn(40, 3), torch.randn(40)


    def loss(output, y):
        return nn.functional.mse_loss(output.squeeze(-1), y)


    def problem():
    """
)
BODY_LINE = HEAD.count("\n") + 1
"""The line where the body of `problem` begins."""
LOSS_LINE = 9

DATASET = dedent(
    """\
    import torch
    from torch import nn
    from torch.utils.data import Dataset

    from engine import Problem


    class Images(Dataset):
        def __init__(self):
            self.pixels = torch.arange(60 * 16).reshape(60, 4, 4).to(torch.uint8)

        def __len__(self):
            return 60

        def __getitem__(self, index):
            image = self.pixels[index].float().div(255)
            return {"image": image, "label": index % 2, "index": index}


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))

        def forward(self, image):
            return self.net(image)


    def images():
        return Problem(train=Images, model=Net, loss=loss)


    def loss(output, batch):
        return nn.functional.cross_entropy(output, batch["label"])
    """
)

GOOD = "return Problem(train=(X, Y), model=lambda: nn.Linear(3, 1), loss=loss)"

Try = Callable[[str], Loaded]
StartRun = Callable[..., Any]


def task(problem: str, tmp_path: Path) -> LoadTask:
    (tmp_path / "handed").mkdir(exist_ok=True)
    return LoadTask(
        problem=problem,
        seed=0,
        device="cpu",
        threads=1,
        stored=str(tmp_path / "handed"),
        output=str(tmp_path / "out"),
    )


@pytest.fixture
def try_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Try:
    """Load a file with this text; `net.py`, in the directory where the user is."""
    monkeypatch.chdir(tmp_path)

    def attempt(text: str) -> Loaded:
        (tmp_path / "net.py").write_text(text)
        return load(task(str(tmp_path / "net.py"), tmp_path))

    return attempt


def body(text: str) -> str:
    return HEAD + indent(text, "    ") + "\n"


BROKEN = {
    "no such function": ("x = 1\n", "net.py: there is no function problem()"),
    "syntax": ("def problem(:\n    pass\n", "net.py:1: SyntaxError: invalid syntax"),
    "raises when imported": (
        "import nosuch\n",
        "net.py:1: ModuleNotFoundError: No module named 'nosuch'",
    ),
    "raises when called": (
        body("1 / 0"),
        f"net.py:{BODY_LINE}: ZeroDivisionError: division by zero",
    ),
    "leaves the process": (body("raise SystemExit(3)"), f"net.py:{BODY_LINE}: SystemExit: 3"),
    "returns something else": (
        body("return X, Y"),
        "net.py: problem() returns a tuple, not a gdtui.Problem",
    ),
    "no data": (
        body(GOOD.replace("(X, Y)", "(X[:0], Y[:0])")),
        f"net.py:{BODY_LINE}: train: no samples",
    ),
    "data of two lengths": (
        body(GOOD.replace("(X, Y)", "(X, Y[1:])")),
        f"net.py:{BODY_LINE}: train: tensors must have the same length, not 40, 39",
    ),
    "shapes that don't fit": (
        body(GOOD.replace("Linear(3, 1)", "Linear(4, 1)")),
        f"net.py:{BODY_LINE}: RuntimeError: mat1 and mat2 shapes cannot be multiplied (8x3 and "
        "4x1); in the model, given (8, 3)",
    ),
    "a loss that is no scalar": (
        body(GOOD).replace("output.squeeze(-1), y)", "output.squeeze(-1), y, reduction='none')"),
        f"net.py:{LOSS_LINE}: loss must return one number, not a tensor of shape (8): take its "
        "mean",
    ),
    "a loss that raises": (
        body(GOOD).replace("y)\n\n", "y[:7, 0])\n\n"),
        f"net.py:{LOSS_LINE + 1}: IndexError: too many indices for tensor of dimension 1; "
        "in the loss of (8, 1) against (8)",
    ),
    "a loss without a gradient": (
        body(GOOD).replace("output.squeeze(-1), y)", "output.squeeze(-1).detach(), y)"),
        f"net.py:{LOSS_LINE}: loss does not depend on the model's weights: was it detached?",
    ),
    "no model": (
        body(GOOD.replace("nn.Linear(3, 1)", "3")),
        f"net.py:{BODY_LINE}: model must return a torch.nn.Module, not int",
    ),
    "a metric that is no number": (
        body(
            GOOD.replace("loss=loss", "loss=loss, validation=(X, Y), metrics={'m': lambda o, y: o}")
        ),
        f"net.py:{BODY_LINE}: metrics: 'm' must return one number, not a tensor of shape (8, 1)",
    ),
    "doubles from numpy": (
        body(GOOD.replace("(X, Y)", "(X.double().numpy(), Y.double().numpy())")),
        f"net.py:{BODY_LINE}: RuntimeError: mat1 and mat2 must have the same dtype, but got "
        "Double and Float; in the model, given (8, 3) "
        "(model and data differ in precision: x.astype('float32'))",
    ),
    "one model for all": (
        body(GOOD.replace("lambda: nn.Linear(3, 1)", "nn.Linear(3, 1)")),
        f"net.py:{BODY_LINE}: model must be a factory, e.g. `lambda: Linear(…)`, not an instance",
    ),
    "a DataLoader": (
        body(GOOD.replace("(X, Y)", "torch.utils.data.DataLoader([(X, Y)])")),
        f"net.py:{BODY_LINE}: train must not be a DataLoader, since gdtui makes the batches: "
        "pass the DataLoader's dataset, loader.dataset",
    ),
    "texts": (
        body(GOOD.replace("(X, Y)", "(__import__('numpy').array(['a'] * 40), Y)")),
        f"net.py:{BODY_LINE}: train[0] must be an array of numbers, not of <U1",
    ),
    "classes of 32 bits": (
        body(
            GOOD.replace("(X, Y)", "(X, Y.int())").replace(
                "loss=loss", "loss=nn.CrossEntropyLoss()"
            )
        ),
        "net.py: RuntimeError: expected target dtype to be Long or Byte, but got Int; "
        "in the loss of (8, 1) against (8) (classes are whole numbers: y.astype('int64'))",
    ),
    "a target of whole numbers": (
        body(
            GOOD.replace("(X, Y)", "(X, Y[:, None].long())").replace(
                "loss=loss", "loss=nn.BCEWithLogitsLoss()"
            )
        ),
        "net.py: RuntimeError: result type Float can't be cast to the desired output type Long; in "
        "the loss of (8, 1) against (8, 1) (this loss needs a target of floats: "
        "y.astype('float32'))",
    ),
    "dies": (
        body("import os; os.kill(os.getpid(), 9)"),
        "net.py: the process that loaded it was ended by SIGKILL without an error message",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_told_in_one_line_with_the_file(
    name: str, try_file: Try, tmp_path: Path
) -> None:
    text, said = BROKEN[name]
    with pytest.raises(LoadingError) as error:
        try_file(text)
    assert str(error.value).replace(f"{tmp_path}/", "") == said
    assert not list((tmp_path / "handed").iterdir())


def test_what_a_file_is(try_file: Try, tmp_path: Path) -> None:
    good = GOOD.replace(
        "loss=loss",
        "loss=loss, validation=(X[:9], Y[:9]), defaults={'batch_sizes': ('full', 8), 'lr': 0.1}",
    )
    loaded = try_file(body(good))
    assert (loaded.n, loaded.validation_n, loaded.model, loaded.parameters) == (
        40,
        9,
        "Linear(3,1)",
        4,
    )
    assert loaded.defaults == {"batch_sizes": "full,8", "lr": "0.1"}
    assert loaded.warnings == ()
    assert {path.name for path in (tmp_path / "handed").iterdir()} == {
        "made.pickle",
        "train.safetensors",
        "validation.safetensors",
    }


def test_a_shape_that_torch_only_warns_of_is_told(try_file: Try) -> None:
    warning, *_ = try_file(body(GOOD).replace(".squeeze(-1)", "")).warnings
    assert warning.startswith("Using a target size (torch.Size([8])) that is different")


def test_a_problem_that_brings_its_optimiser_trains_with_it(try_file: Try) -> None:
    own = GOOD.replace(
        "loss=loss", "loss=loss, optimizer=lambda params, lr: torch.optim.AdamW(params, lr)"
    )
    assert try_file(body(own)).defaults == {"optimizer": "own"}


def test_a_problem_that_brings_its_scheduler_trains_with_it(try_file: Try) -> None:
    own = GOOD.replace(
        "loss=loss", "loss=loss, scheduler=lambda o: torch.optim.lr_scheduler.StepLR(o, 3)"
    )
    assert try_file(body(own)).defaults == {"schedule": "own"}


def test_the_data_is_made_once_and_all_workers_see_the_same(
    start_run: StartRun, tmp_path: Path, try_file: Try
) -> None:
    """`train` is drawn without a seed and counts its calls.

    Two variants alike have the same losses.
    """
    calls = str(tmp_path / "calls")
    made = f"import random; open({calls!r}, 'a').write('x'); return X + random.random(), Y"
    text = body(f"def train():\n    {made}\n{GOOD.replace('(X, Y)', 'train')}")
    (tmp_path / "net.py").write_text(text)
    handover = PrivateDirectory()
    load(replace(task(str(tmp_path / "net.py"), tmp_path), stored=str(handover.path)))
    run = start_run(
        (8, 8),
        problem=str(tmp_path / "net.py"),
        epochs=2,
        device="cpu",
        variant={"momentum": 0.5},
        handover=handover,
    )
    run.until(lambda: run.states() == {State.FINISHED})
    first, second = run.names
    assert run.losses(first) == run.losses(second) != b""
    assert Path(calls).read_text() == "x"
    assert handover.path.exists()
    run.session.close()
    assert not handover.path.exists()


def test_a_problem_that_makes_its_data_itself_is_made_once_for_all_workers(
    start_run: StartRun, tmp_path: Path
) -> None:
    """Each worker makes the model; the losses are those of workers that make the data, too."""
    file = tmp_path / "net.py"
    file.write_text(
        "from pathlib import Path\nimport torch\nfrom torch import nn\nfrom gdtui import Problem\n"
        "def count(name):\n    with Path(__file__).with_name(name).open('a') as file:\n"
        "        file.write('x')\n\n"
        "def data():\n    count('data')\n    x = torch.randn(40, 3)\n    return x, x.sum(1)\n\n"
        "def problem():\n    x, y = data()\n"
        "    def model():\n        count('model')\n"
        "        return nn.Sequential(nn.Linear(x.shape[1], 1), nn.Dropout(0.1), nn.Flatten(0))\n"
        "    return Problem(train=(x, y), model=model, loss=nn.MSELoss())\n"
    )
    losses = []
    for is_handed in (True, False):
        handover = PrivateDirectory() if is_handed else None
        if handover is not None:
            load(replace(task(str(file), tmp_path), stored=str(handover.path)))
        run = start_run((8, 16), problem=str(file), epochs=2, device="cpu", handover=handover)
        run.until(lambda run=run: run.states() == {State.FINISHED})
        losses.append([run.losses(name) for name in run.names])
        run.session.close()
        if is_handed:
            assert (tmp_path / "data").read_text() == "x"
            assert len((tmp_path / "model").read_text()) >= 3
    assert losses[0] == losses[1]


def test_a_mistake_in_a_later_step_is_told_with_its_line(
    start_run: StartRun, tmp_path: Path
) -> None:
    late = body(GOOD).replace(
        "def loss(output, y):\n", "STEPS = []\n\n\ndef loss(output, y):\n    STEPS.append(1)\n"
    )
    late = late.replace(
        "    return nn.",
        "    if len(STEPS) > 50:\n        raise ValueError('too late')\n    return nn.",
    )
    (tmp_path / "net.py").write_text(late)
    run = start_run((4,), problem=f"{tmp_path / 'net.py'}:problem", epochs=20, device="cpu")
    run.until(lambda: run.states() == {State.FAILED})
    (tally,) = run.tallies.values()
    assert tally.detail == (f"net.py:{LOSS_LINE + 6}: ValueError: too late")
    assert not tally.is_usage_error
    assert "Traceback" in tally.traceback


def test_a_dataset_is_opened_by_each_worker_and_read_by_its_loaders(
    start_run: StartRun, tmp_path: Path
) -> None:
    """uint8 images with a transform, out of dicts.

    A worker that is done leaves none of its loaders.
    """
    (tmp_path / "net.py").write_text(DATASET)
    losses = []
    for workers in (0, 2):
        run = start_run(
            (16,),
            problem=f"{tmp_path / 'net.py'}:images",
            epochs=2,
            device="cpu",
            loader_workers=workers,
        )
        run.until(lambda run=run: run.states() == {State.FINISHED})
        losses.append(run.losses(run.names[0]))
        run.session.close()
    assert losses[0] == losses[1] != b""


def test_a_worker_that_is_killed_is_noticed_and_replaced_while_its_loaders_live(
    start_run: StartRun, tmp_path: Path
) -> None:
    """They inherit its pipe and its log's lock, which tell of its death: they must close them."""
    (tmp_path / "net.py").write_text(DATASET)
    run = start_run(
        (4,), problem=f"{tmp_path / 'net.py'}:images", epochs=10**6, device="cpu", loader_workers=2
    )
    (name,) = run.names
    run.until(lambda: run.of(name, Chunk))
    loaders = children_of(run.session.pids[name])
    assert len(loaders) == 2
    for pid in loaders:
        os.kill(pid, signal.SIGSTOP)  # so that it cannot be their end that tells
    try:
        os.kill(run.session.pids[name], signal.SIGKILL)
        run.until(lambda: run.tallies[name].state is State.DIED)
        run.session.restart({name: run.tallies[name].settings})
        run.until(lambda: run.tallies[name].generation == 2 and run.tallies[name].batches > 0)
    finally:
        for pid in loaders:
            os.kill(pid, signal.SIGKILL)
