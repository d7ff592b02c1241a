"""Numbers and settings as words on the screen: pure functions from values to short text."""

import math
from functools import lru_cache
from typing import Final

from engine.settings import FULL, BatchSize, VariantSettings

OFF: Final = "off"
"""A setting that is not there."""
_READ: Final = 15
"""Characters read per second."""


def number(value: float, digits: int = 3) -> str:
    """A number with this many significant digits, without exponent if possible; "–" for NaN."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞"
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1e6 or size < 1e-4:
        mantissa, power = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(power)}"
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return f"{value:,.{decimals}f}"


def within(value: float, cells: int, digits: int = 3) -> str:
    """A number with as many digits as fit in these cells: at least one, at most `digits`."""
    texts = (number(value, fewer) for fewer in range(digits, 0, -1))
    return next((text for text in texts if len(text) <= cells), number(value, 1))


def signed(value: float, cells: int, digits: int = 3) -> str:
    """A difference in the same format, with its sign."""
    return (
        "–"
        if math.isnan(value)
        else f"{'−' if value < 0 else '+'}{within(abs(value), cells - 1, digits)}"
    )


def mebibytes(size: int) -> str:
    """Memory in whole MiB; "–" if it is unknown."""
    return f"{size / 2**20:,.0f} MiB" if size else "– MiB"


def readable_size(size: int) -> str:
    """A size such as "1.2 MiB"."""
    if size < 1024:
        return f"{size} B"
    value, units = size / 1024, iter(("KiB", "MiB", "GiB"))
    unit = next(units)
    for larger in units:
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.1f} {unit}"


def setting(value: float) -> str:
    """A value that the user chose, in its shortest form: 0.01, 1e-5, 512."""
    if value and (abs(value) < 1e-4 or abs(value) >= 1e6):
        mantissa, power = (
            f"{value:.6g}".split("e") if "e" in f"{value:.6g}" else (f"{value:.6g}", "0")
        )
        return f"{mantissa}e{int(power)}"
    return f"{value:.6g}"


def value(of_setting: object) -> str:
    """The value of any setting, as it would be typed."""
    if of_setting is None:
        return OFF
    if isinstance(of_setting, bool):
        return "on" if of_setting else OFF
    if not isinstance(of_setting, float):
        return str(of_setting)
    short = setting(of_setting)
    return short if float(short) == of_setting else repr(of_setting)


def rounded(value: float) -> str:
    """A value computed from the user's choices, to three significant digits."""
    return setting(float(f"{value:.3g}"))


def edge_name(factor: float) -> str:
    """The name of the edge of stability, which with momentum β is 2 (1 + β) ÷ lr."""
    return f"{setting(factor)}/lr"


def batch(size: BatchSize, n: int) -> str:
    """64, or "2,000 (full)" once n is known."""
    if size == FULL or (n and size >= n):
        return f"{n:,} (full)" if n else FULL
    return f"{size:,}"


def short_batch(size: BatchSize, n: int) -> str:
    """64, or "full"."""
    return FULL if size == FULL or (n and size >= n) else f"{size:,}"


def pace(value: float | None) -> str:
    if value is None:
        return "free"
    return f"{setting(value)} epoch/s" if value == 1 else f"{setting(value)} epochs/s"


def epochs(share: float) -> str:
    """A time constant: "¼ epoch", "4 epochs"."""
    text = {0.25: "¼", 0.5: "½"}.get(share, f"{share:g}")
    return f"{text} epochs" if share > 1 else f"{text} epoch"


def speed(value: float) -> str:
    """A replay's speed: ×10; "to the end" when it is infinite."""
    return "to the end" if math.isinf(value) else f"×{setting(value)}"


def clock(seconds: float) -> str:
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes:02}:{whole % 60:02}"


def reading_seconds(text: str) -> float:
    """Seconds that a reader who is looking elsewhere needs for this text."""
    return len(text) / _READ


def count(value: float) -> str:
    """A count, abbreviated from a million on: 24,000 · 1.23M."""
    if math.isnan(value):
        return "–"
    for unit, suffix in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if value >= unit:
            return f"{value / unit:.2f}{suffix}"
    return f"{value:,.0f}"


@lru_cache(maxsize=1024)  # every frame asks for the label of every mark
def difference(before: VariantSettings, after: VariantSettings, n: int) -> str:
    """The changes between two settings, such as "batch 64→128"; empty if there are none."""
    return ", ".join(f"{name} {old}→{new}" for name, old, new in changes(before, after, n))


def changes(before: VariantSettings, after: VariantSettings, n: int) -> list[tuple[str, str, str]]:
    """(name, old, new) of each setting that differs."""
    return [
        (name, old, new)
        for (name, old), (_, new) in zip(fields(before, n), fields(after, n), strict=True)
        if old != new
    ]


def fields(settings: VariantSettings, n: int) -> list[tuple[str, str]]:
    """Every setting that a panel or a mark may speak of, as (name, value)."""
    return [
        ("batch", short_batch(settings.batch_size, n)),
        ("lr", setting(settings.lr)),
        ("scaling", str(settings.lr_scaling)),
        ("accum", f"×{settings.accumulation_steps}"),
        ("momentum", setting(settings.momentum)),
        ("optimizer", settings.optimizer),
        ("schedule", str(settings.schedule)),
        ("warm-up", value(settings.warmup)),
        ("clip", value(settings.clip)),
        ("precision", str(settings.precision)),
        ("batch warm-up", value(settings.batch_warmup)),
    ]
