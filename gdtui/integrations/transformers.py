"""Record and control the Trainer of Hugging Face transformers, with one more line in a script.

from gdtui.integrations.transformers import tracked
trainer = tracked(Trainer(...))
"""

import os
from importlib import import_module
from typing import Any, TypeVar

from engine.tracking.trainers.huggingface import HuggingFaceHooks
from engine.tracking.trainers.record import TrainerRecord
from gdtui import __version__

AnyTrainer = TypeVar("AnyTrainer")

try:
    _library: Any = import_module("transformers")
except ImportError as error:
    raise ImportError(
        "gdtui.integrations.transformers needs transformers and accelerate: "
        'pip install "transformers[torch]>=4.45"'
    ) from error


class TrainerEvents(HuggingFaceHooks, _library.TrainerCallback):  # type: ignore[misc]
    """Reports what a Trainer does to the record of its run."""


def tracked(
    trainer: AnyTrainer,
    *,
    name: str | None = None,
    run_dir: str | os.PathLike[str] | None = None,
) -> AnyTrainer:
    """Record this Trainer's training, and let `gdtui attach` control it; returns the Trainer.

    `name`: the variant's. `run_dir`: the directory of the run, else GDTUI_RUN_DIR, else a new one
    where `gdtui train` puts its runs; a second training with the same directory is a second variant
    of that run. Nothing is written before training begins. With GDTUI=off, nothing changes.
    """
    record = TrainerRecord(name=name, run_dir=run_dir)
    callbacks = trainer.callback_handler.callbacks  # type: ignore[attr-defined]
    if not record.is_recording or any(isinstance(each, TrainerEvents) for each in callbacks):
        return trainer
    events = TrainerEvents(trainer, record, __version__)
    events.wrap()
    trainer.add_callback(events)  # type: ignore[attr-defined]
    return trainer
