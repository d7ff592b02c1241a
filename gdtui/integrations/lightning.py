"""Record and control the Trainer of Lightning by a callback.

from gdtui.integrations.lightning import GdtuiCallback
trainer = Trainer(..., callbacks=[GdtuiCallback()])
"""

import os
import sys
from importlib import import_module
from typing import Any

from engine.tracking.trainers.lightning import LightningHooks
from gdtui import __version__


def _find_library() -> Any:
    """The package whose Trainer the script uses; `lightning` if it has imported neither."""
    names = ["lightning.pytorch", "pytorch_lightning"]
    if "lightning.pytorch" not in sys.modules and "pytorch_lightning" in sys.modules:
        names.reverse()
    for name in names:
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or error.name not in (name, name.partition(".")[0]):
                raise
    raise ImportError('gdtui.integrations.lightning needs Lightning: pip install "lightning>=2.4"')


class GdtuiCallback(LightningHooks, _find_library().Callback):  # type: ignore[misc]
    """Records the training of a Trainer, and lets `gdtui attach` control it."""

    def __init__(
        self,
        *,
        name: str | None = None,
        run_dir: str | os.PathLike[str] | None = None,
        grad_norm: bool = True,
    ) -> None:
        """`name` and `run_dir`: see `gdtui.track`. `grad_norm`: record it for each update."""
        super().__init__(name=name, run_dir=run_dir, grad_norm=grad_norm, version=__version__)
