"""The parts of a training recipe beside batch size and lr: schedules, warm-ups, precision.

Pure arithmetic. Positions are counted in samples, so that one schedule holds for every batch size.
"""

import math
from enum import StrEnum
from typing import Final

_DECAY: Final = 0.2
"""Share of the run in which wsd decays (Hägele et al. 2024, arXiv:2405.18392)."""


class LrSchedule(StrEnum):
    """Curves that the lr follows over the run; 1 stands for the lr in force without them.

    Those of transformers.get_constant, cosine, linear (…)_schedule_with_warmup, in samples; wsd is
    warm-up, stable, linear decay in the last fifth of the run.
    """

    CONSTANT = "constant"
    COSINE = "cosine"
    LINEAR = "linear"
    WSD = "wsd"
    OWN = "own"
    """The problem's own scheduler, which no arithmetic here describes."""

    def factor(self, samples: float, warmup: float, planned: float) -> float:
        """The factor of the lr for an update that begins after `samples` of the `planned` ones.

        During the warm-up it rises linearly from 0.
        """
        if samples < warmup:
            return samples / warmup
        match self:
            case LrSchedule.COSINE:
                return 0.5 * (1 + math.cos(math.pi * _share(samples, warmup, planned)))
            case LrSchedule.LINEAR:
                return 1 - _share(samples, warmup, planned)
            case LrSchedule.WSD:
                return 1 - _share(samples, max(warmup, (1 - _DECAY) * planned), planned)
            case _:
                return 1.0


class Precision(StrEnum):
    """Number format of the forward pass: fp32 as the model is, else torch's autocast.

    fp16 scales the loss by torch's GradScaler, too.
    """

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


def in_samples(span: float, planned: int) -> float:
    """A part of the run in samples: below 1 it is given as a share of the run."""
    return span * planned if span < 1 else span


def batch_divisor(samples: float, warmup: float) -> tuple[int, float]:
    """The divisor of the batch size in a batch warm-up, and the samples at which it ends.

    The batch grows with the samples, by doubling: an eighth of it until a quarter of the warm-up
    is done, a quarter until half of it is, and a half until its end.
    """
    for divisor in (8, 4, 2):
        end = 2 * warmup / divisor
        if samples < end:
            return divisor, end
    return 1, math.inf


def _share(samples: float, start: float, end: float) -> float:
    """The share of the way from `start` to `end` that is done, from 0 to 1."""
    return min(max((samples - start) / (end - start), 0.0), 1.0) if end > start else 1.0
