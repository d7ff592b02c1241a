"""The settings of a variant in one line, with what is pending. Pure."""

from typing import Final

from engine.settings import LrScaling, Precision
from gdtui.state.variant import VariantState
from gdtui.view.text import formatting
from gdtui.view.text.caveats.imported import is_foreign, is_made_up
from gdtui.view.text.screen_text import NOT_THE_BIG_BATCH
from gdtui.view.text.styled import StyledText

_DIM: Final = "$quiet"
_PENDING: Final = "bold $warning"
_KEY: Final = "$footer-key-foreground"
SETTING_KEYS: Final = {"batch": "[ ]", "lr": ", .", "accum": "A a", "momentum": "m"}
"""The keys that change a setting, as the key table shows them."""
_SHORT: Final = {"accum": "", "momentum": "mom", "optimizer": ""}
"""Names of settings in a narrow panel; their values speak for themselves."""


def settings(one: VariantState, width: int, *, has_keys: bool = False) -> StyledText:
    """The settings in force, preceded by pending changes such as "batch 64→128…".

    `has_keys`: each setting is followed by the keys that change it, where there is room. Shortened
    if the panel is narrow.
    """
    for keys in (True, False) if has_keys else (False,):
        said = _settings(one, has_keys=keys, is_short=False)
        if said.cell_length <= width:
            return said
    return _settings(one, has_keys=False, is_short=True)


def _settings(one: VariantState, *, has_keys: bool, is_short: bool) -> StyledText:
    n = one.tally.n
    now, wanted = one.tally.settings, one.wanted
    parts: list[StyledText] = []
    pending: list[StyledText] = []
    fields = zip(formatting.fields(now, n), formatting.fields(wanted, n), strict=True)
    for (name, value), (_, new) in fields:
        if is_made_up(one, name):
            continue
        if value != new:
            pending.append(StyledText.of(f"{name} {value}→{new}…", _PENDING))
        elif said := _setting(one, name, value, is_short=is_short):
            keys = f" {SETTING_KEYS[name]}" if has_keys and name in SETTING_KEYS else ""
            parts.append(StyledText.of(said) + StyledText.of(keys, _KEY))
    if one.tally.is_big_batch is False:
        said = NOT_THE_BIG_BATCH if is_short else "not the big batch"
        parts.append(StyledText.of(said, "$warning"))
    return StyledText.of(" · ", _DIM).join(pending + parts)


def _setting(one: VariantState, name: str, value: str, *, is_short: bool) -> str:
    """A setting in force, in words; empty for one that is as usual."""
    if name == "batch":
        size = value if is_short else formatting.batch(one.tally.settings.batch_size, one.tally.n)
        return f"batch {size}"
    if name == "lr":
        return _lr(one, is_short=is_short)
    if not _is_telling(name, one):
        return ""
    said = f"{_SHORT.get(name, name) if is_short else name} {value}".strip()
    return said + _worked(name, one)


def _lr(one: VariantState, *, is_short: bool) -> str:
    """The lr in force and, with a rule or a schedule, the lr that it was made from."""
    now, resolved = one.tally.settings, one.tally.resolved
    rules = [str(now.lr_scaling)] * (now.lr_scaling is not LrScaling.NONE)
    rules += [f"warm-up + {now.schedule}" if now.warmup else str(now.schedule)] * (
        not now.has_constant_lr
    )
    if is_foreign(one) and resolved is not None:
        return f"lr {formatting.rounded(resolved.lr)}"  # its settings state none
    if not rules or resolved is None:
        return f"lr {formatting.setting(now.lr)}"
    if is_short:
        return f"lr {formatting.rounded(resolved.lr)} {rules[0]}"
    how = ", ".join(rules)
    return f"lr {formatting.rounded(resolved.lr)} ({how} from {formatting.setting(now.lr)})"


def _worked(name: str, one: VariantState) -> str:
    """The effect of a setting on the updates so far."""
    recipe = one.tally.recipe
    if name == "clip" and (share := recipe.clipped_share) is not None:
        return f" ({share:.0%} clipped)"
    return f" ({recipe.skipped:,} skipped)" if name == "precision" and recipe.skipped else ""


def _is_telling(name: str, one: VariantState) -> bool:
    """True for a setting with an unusual value."""
    now = one.tally.settings
    return {
        "accum": now.accumulation_steps != 1,
        "momentum": now.momentum != 0,
        "optimizer": now.optimizer.lower() != "sgd",
        "clip": now.clip is not None,
        "precision": now.precision is not Precision.FP32,
        "batch warm-up": now.batch_warmup != 0,
    }.get(name, False)
