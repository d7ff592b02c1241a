"""Takes noise scale and sharpness of one model after the other, without the limit of `train`."""

import json
import sys

import torch

from engine.log.records import Measured, MeasuringSet, Record, State
from engine.problems.opening import open_problem
from engine.settings import VariantSettings
from engine.training.devices.process import take_device
from engine.training.trainer import Trainer
from engine.worker.measuring.measurer import Measurer

MODELS = ("digits-cnn", "char-lm", "{}:lstm", "{}:bf16", "{}:dropout")


def measured(trainer: Trainer) -> list[Record]:
    """Every record of both measurements."""
    records: list[Record] = []
    measurer = Measurer(records.append, is_on=True)
    measurer.ask(1)
    while measurer.wait(trainer.updates, State.PAUSED) == 0.0:
        measurer.work(trainer)
    return records


def described(record: Record) -> str:
    """The value of a measurement, or the reason why there is none."""
    if isinstance(record, MeasuringSet):
        return record.detail
    assert isinstance(record, Measured)
    if record.noise is not None:
        return f"B {record.noise.value:.4g} ({record.cost:.2f} s)"
    assert record.sharpness is not None
    return f"λ {record.sharpness.value:.4g} ±{record.sharpness.error:.1g} ({record.cost:.2f} s)"


def state(trainer: Trainer) -> list[bytes]:
    """All that measuring must leave as it is."""
    draws = [torch.random.get_rng_state()]
    if trainer.device.type == "cuda":
        draws.append(torch.cuda.get_rng_state())
    return [trainer.weights().tobytes(), *(each.numpy().tobytes() for each in draws)]


def main() -> None:
    device = take_device(sys.argv[1]).device
    found = {}
    for name in sys.argv[3:] or MODELS:
        problem = open_problem(name.format(sys.argv[2]), 0)
        trainer = Trainer(problem, VariantSettings(batch_size=64), 0, device)
        trainer.advance(3)
        before = state(trainer)
        found[name] = [described(record) for record in measured(trainer)]
        assert state(trainer) == before, f"{name}: measuring has changed the training"
    print(json.dumps(found))


if __name__ == "__main__":
    main()
