"""Broken problems as users write them, with what every command says about each.

The files begin alike, with data, a model and a loss that fit together.
"""

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Final

_HEAD: Final = dedent(
    """\
    import os, sys
    import torch
    from torch import nn
    from gdtui import Problem

    torch.manual_seed(0)
    X, Y = torch.randn(65, 4), torch.arange(65) % 2
    model = lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    loss = nn.CrossEntropyLoss()

    """
)
FIRST: Final = _HEAD.count("\n") + 1
"""The line after the head."""

_THIRD: Final = """\
class Net(nn.Linear):
    calls = 0
    def forward(self, x):
        self.calls += self.training
        if self.calls > 2: {does}
        return super().forward(x)
def problem():
    return Problem(train=(X, Y), model=lambda: Net(4, 2), loss=loss)
"""
_DATASET: Final = """\
class Data(torch.utils.data.Dataset):
    def __len__(self): return 65
    def __getitem__(self, index):
        if index == {index}: raise ValueError(f"no sample {{index}}")
        return X[index], Y[index]
def problem():
    return Problem(train=Data, model=model, loss=loss)
"""


@dataclass(frozen=True, slots=True)
class Broken:
    """A broken problem: its file's text and the message that names it, without the command."""

    text: str | None
    """The text after the head; None if there is no file."""
    said: str

    def write(self, folder: Path) -> None:
        """Write the file `net.py`, if there is one."""
        if self.text is not None:
            (folder / "net.py").write_text(_HEAD + self.text)


def _problem(**changed: str) -> str:
    """A file whose function `problem` makes the usual problem with these arguments changed."""
    arguments = {"train": "(X, Y)", "model": "model", "loss": "loss"} | changed
    given = ", ".join(f"{name}={value}" for name, value in arguments.items())
    return f"def problem():\n    return Problem({given})\n"


AT_LOADING: Final = {
    "no file": Broken(None, "net.py: there is no such file"),
    "syntax": Broken("def problem(:\n", f"net.py:{FIRST}: SyntaxError: invalid syntax"),
    "a missing package": Broken(
        "import nosuch\n", f"net.py:{FIRST}: ModuleNotFoundError: No module named 'nosuch'"
    ),
    "no problem": Broken("", "net.py: there is no function problem(); it has model"),
    "returns nothing": Broken(
        "def problem(): pass\n", "net.py: problem() returns a NoneType, not a gdtui.Problem"
    ),
    "an instance": Broken(
        _problem(model="model()"),
        f"net.py:{FIRST + 1}: model must be a factory, e.g. `lambda: Sequential(…)`, not an "
        "instance",
    ),
    "unequal lengths": Broken(
        _problem(train="(X, Y[:60])"),
        f"net.py:{FIRST + 1}: train: tensors must have the same length, not 65, 60",
    ),
    "NaN in features": Broken(
        "X[7, 2] = torch.nan\n" + _problem(),
        "net.py: train[0]: 1 value is not finite, the first is nan at sample 7, column 2 (counted "
        "from 0): the loss is not finite with any of them; replace them, or leave out their "
        "samples",
    ),
    "NaN in held-out data": Broken(
        "V = X.clone()\nV[7, 2] = torch.nan\n" + _problem(validation="(V, Y)"),
        "net.py: validation[0]: 1 value is not finite, the first is nan at sample 7, column 2 "
        "(counted from 0): the loss of held-out samples is not finite with any of them; replace "
        "them, or leave out their samples",
    ),
    "a label out of range": Broken(
        "Y[40] = 7\n" + _problem(),
        "net.py: train[1]: label 7 of sample 40 is out of range: the model has 2 outputs, for "
        "labels 0 to 1",
    ),
    "a loss that is no number": Broken(
        _problem(loss="nn.CrossEntropyLoss(reduction='none')"),
        "net.py: loss must return one number, not a tensor of shape (8): take its mean",
    ),
    "shapes that do not fit": Broken(
        _problem(model="lambda: nn.Linear(5, 2)"),
        f"net.py:{FIRST + 1}: RuntimeError: mat1 and mat2 shapes cannot be multiplied (8x4 and "
        "5x2); in the model, given (8, 4)",
    ),
    "a loss without a gradient": Broken(
        _problem(loss="lambda o, y: loss(o.detach(), y)"),
        f"net.py:{FIRST + 1}: loss does not depend on the model's weights: was it detached?",
    ),
    "a sample that raises": Broken(
        _DATASET.format(index=7), f"net.py:{FIRST + 3}: ValueError: no sample 7"
    ),
    "exit": Broken("sys.exit(3)\n", f"net.py:{FIRST}: SystemExit: 3"),
    "os._exit": Broken(
        "os._exit(0)\n",
        "net.py: the process that loaded it ended by itself without an error message",
    ),
    "KeyboardInterrupt": Broken("raise KeyboardInterrupt\n", f"net.py:{FIRST}: KeyboardInterrupt"),
    "out of memory": Broken(
        _problem(model="lambda: nn.Linear(4, 10**13)"),
        f"net.py:{FIRST + 1}: not enough memory: a tensor of 160 TB was to be made",
    ),
}
"""Problems that their first batch shows to be broken: a usage error, exit status 2."""

_LINE: Final = FIRST + 4
_EVERY_KIND: Final = {
    10: ("raise ValueError('third')", f"failed: net.py:{_LINE}: ValueError: third"),
    11: ("sys.exit('bye')", f"failed: net.py:{_LINE}: SystemExit: bye"),
    12: ("raise KeyboardInterrupt", f"failed: net.py:{_LINE}: KeyboardInterrupt"),
    14: ("os._exit(4)", "died: its worker has died"),
    9: (
        "torch.empty(10**14)",
        "out of memory: net.py: not enough memory: a tensor of 400 TB was to be made",
    ),
}
_STATEMENTS: Final = {size: does for size, (does, _) in _EVERY_KIND.items()}
EVERY_KIND: Final = _HEAD + _THIRD.format(
    does=f"exec({_STATEMENTS}.get(max(len(x), {min(_EVERY_KIND)}), ''))"
)
"""A problem whose third batch breaks at five batch sizes, at each in another way.

Where memory runs out, it also does at all smaller ones, to which training goes back.
"""
SAID_OF_KIND: Final = {size: said for size, (_, said) in _EVERY_KIND.items()}
"""The reason by batch size."""
RAGGED: Final = _HEAD + _DATASET.format(index=27).replace(
    'raise ValueError(f"no sample {index}")', "return X[0, :3], Y[0]"
)
"""A problem with a sample of another shape, which fits into no batch: no usage error any more."""

BATCH_NORM: Final = _HEAD + _problem(
    model="lambda: nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))"
)
"""65 samples: of the batch sizes 5 and 13 the last batch is as large as the others, of 16 it has
one sample, which BatchNorm refuses."""
NO_LARGE_BATCH: Final = _HEAD + _THIRD.format(does="pass").replace(
    "self.calls > 2: pass", "self.training and len(x) > 20: raise ValueError('too large')"
)
"""A problem that trains at batch sizes up to 20."""
