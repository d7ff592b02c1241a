"""The code of an update in the plain loop: optimiser, schedule of the lr, clipping, precision.

Pure functions from settings to text.
"""

from collections.abc import Iterator
from typing import Final

from engine.problem import OWN
from engine.settings import LrScaling, LrSchedule, Precision, VariantSettings

_OWN_WEIGHTS: Final = """\
takes = next(iter(inspect.signature(problem.optimizer).parameters))
weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
if takes == "model":
    weights = model
elif takes in ("named_parameters", "named_params"):
    weights = [pair for pair in model.named_parameters() if pair[1].requires_grad]
"""
_FACTORS: Final = {
    LrSchedule.CONSTANT: "return 1.0",
    LrSchedule.COSINE: "return 0.5 * (1 + math.cos(math.pi * share(WARMUP)))",
    LrSchedule.LINEAR: "return 1 - share(WARMUP)",
    LrSchedule.WSD: "return 1 - share(max(WARMUP, 0.8 * PLANNED))  # decays in the last fifth",
}
_SCHEDULE: Final = """\
WARMUP = {warmup}


def factor(seen):
    \"\"\"The factor of the lr for an update that begins after so many samples.\"\"\"

    def share(start):
        return min(max((seen - start) / (PLANNED - start), 0), 1) if PLANNED > start else 1

    if seen < WARMUP:
        return seen / WARMUP
    {factor}
"""
_OWN_SCHEDULE: Final = """\
UPDATES = EPOCHS * -(-({end}) // (BATCH * ACCUMULATION))
takes = len(inspect.signature(problem.scheduler).parameters)
scheduler = problem.scheduler(*(optimizer, UPDATES)[:takes])
"""
_AUTOCAST: Final = """\
loss_in_full = loss_of


def loss_of(rows):
    with torch.autocast(torch.device(DEVICE).type, torch.{dtype}):
        return loss_in_full(rows)
"""
_FORMATS: Final = {Precision.BF16: "bfloat16", Precision.FP16: "float16"}
_SET_LR: Final = """\
        for weights, lr in zip(optimizer.param_groups, LRS):
            weights["lr"] = lr{factors}
"""
_GROWING: Final = """\
def batch_after(seen):
    \"\"\"The batch size of an update that begins after so many samples.\"\"\"
    for divisor in (8, 4, 2):
        if seen < 2 * ({span}) / divisor:
            return -(-BATCH // divisor)
    return BATCH
"""
_GROUPS: Final = """\
    for group in range(0, {end}, BATCH * ACCUMULATION):
        rows = order[group : min(group + BATCH * ACCUMULATION, {end})]
"""
_GROWING_GROUPS: Final = """\
    group = 0
    while group < {end}:
        size = batch_after((epoch - 1) * n + group)
        rows = order[group : min(group + size * ACCUMULATION, {end})]
"""
_POWERS: Final = {LrScaling.NONE: "", LrScaling.LINEAR: "", LrScaling.SQRT: " ** 0.5"}


def imports(settings: VariantSettings) -> Iterator[str]:
    """The modules that these parts need beside torch."""
    if not settings.has_constant_lr and settings.schedule is not LrSchedule.OWN:
        yield "import math"


def optimizer(settings: VariantSettings) -> str:
    """The optimiser on the model's parameters."""
    name, arguments = settings.optimizer_parsed
    given = dict(arguments)
    if settings.momentum:
        given["momentum"] = settings.momentum
    typed = "".join(f", {key}={value!r}" for key, value in given.items())
    if name == OWN:
        return f"{_OWN_WEIGHTS}optimizer = problem.optimizer(weights, LR{typed})"
    kind = "torch.optim.SGD" if name == "sgd" else _kind(name)
    return f"optimizer = {kind}(model.parameters(), lr=LR{typed})"


def _kind(name: str) -> str:
    """The expression for torch's class of this name; only torch knows which case it has."""
    is_it = f"name.lower() == {name!r}"
    return f"next(kind for name, kind in vars(torch.optim).items() if {is_it})"


def preparations(settings: VariantSettings, end: str) -> Iterator[str]:
    """Parts between the optimiser and the loop; `end`: the samples of an epoch, as code."""
    if settings.precision in _FORMATS:
        yield "\n" + _AUTOCAST.format(dtype=_FORMATS[settings.precision]) + "\n"
    if settings.precision is Precision.FP16:
        yield "scaler = torch.amp.GradScaler(torch.device(DEVICE).type)"
    if settings.schedule is LrSchedule.OWN:
        yield _OWN_SCHEDULE.format(end=end)
    if settings.batch_warmup or _is_followed(settings):
        yield "PLANNED = EPOCHS * n  # samples"
        yield 'LRS = [group["lr"] for group in optimizer.param_groups]'
    if _is_followed(settings):
        yield _SCHEDULE.format(warmup=_span(settings.warmup), factor=_FACTORS[settings.schedule])
    if settings.batch_warmup:
        yield "\n" + _GROWING.format(span=_span(settings.batch_warmup))


def _is_followed(settings: VariantSettings) -> bool:
    """True where the lr is set for each update."""
    return not settings.has_constant_lr and settings.schedule is not LrSchedule.OWN


def _span(span: float) -> str:
    """A part of the run, in samples."""
    return f"{span!r} * PLANNED" if span < 1 else repr(span)


def groups(settings: VariantSettings, end: str) -> str:
    """The head of the loop over the updates of an epoch."""
    if not settings.batch_warmup:
        return _GROUPS.format(end=end)
    is_whole = end == "n"
    return _GROWING_GROUPS.format(end=end if is_whole else "n - n % BATCH")


def before(settings: VariantSettings) -> str:
    """The lines that begin an update."""
    factors = " * factor((epoch - 1) * n + group)" * _is_followed(settings)
    if settings.batch_warmup and settings.lr_scaling is not LrScaling.NONE:
        ratio = "(min(size * ACCUMULATION, n) / min(BATCH * ACCUMULATION, n))"
        factors += f" * {ratio}{_POWERS[settings.lr_scaling]}"
    return _SET_LR.format(factors=factors) if factors else ""


def batches(template: str, settings: VariantSettings) -> str:
    """The batches of an update; `template`: at their final size."""
    return template.replace("BATCH", "size") if settings.batch_warmup else template


def backward(loss: str, settings: VariantSettings) -> str:
    """The call that adds up the gradients of a loss."""
    if settings.precision is Precision.FP16:
        return f"scaler.scale({loss}).backward()"
    return f"{loss}.backward()" if loss.isidentifier() else f"({loss}).backward()"


def step(settings: VariantSettings) -> str:
    """The lines that end an update."""
    is_scaled = settings.precision is Precision.FP16
    lines = ["scaler.unscale_(optimizer)"] * is_scaled
    if settings.clip is not None:
        lines.append(f"torch.nn.utils.clip_grad_norm_(model.parameters(), {settings.clip!r})")
    if is_scaled:
        lines += ["scaler.step(optimizer)  # skipped after an overflow", "scaler.update()"]
    else:
        lines.append("optimizer.step()")
    lines += ["scheduler.step()"] * (settings.schedule is LrSchedule.OWN)
    lines += ["group += len(rows)"] * bool(settings.batch_warmup)
    return "\n".join(" " * 8 + line for line in lines)
