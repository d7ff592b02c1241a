"""Similarities and differences of the variants on screen, in sentences. Pure."""

from gdtui.state.overlay.comparability import have_one_problem, have_one_start
from gdtui.state.store import Store
from gdtui.view.text import formatting


def common_start(store: Store, names: str) -> str:
    """A sentence on where the variants come from; `names` lists them all."""
    runs = store.runs
    if len(runs) == 1:
        return (
            f"{names} train at the same time, from the same first weights and on the same samples "
            "in the same order."
        )
    origin = f"{names} are from {len(runs)} runs"
    if not have_one_problem(runs):
        return f"{origin} of different problems."
    if have_one_start(runs):
        return (
            f"{origin} of the same problem and seed, so all of them began at the same weights and "
            "saw the same samples in the same order."
        )
    return (
        f"{origin} with different seeds, models or shares of held-out data, so they began at other "
        "weights or saw other samples."
    )


def differences(store: Store) -> str:
    """A sentence on the settings in force that differ."""
    if store.varies_batch_alone:
        return (
            "They differ in the number of samples behind each update and in the size of its step."
        )
    found: dict[str, list[str]] = {}
    for one in store.states:
        for name, value in formatting.fields(one.tally.settings, one.tally.n):
            found.setdefault(name, []).append(value)
    told = [
        f"{name} ({', '.join(dict.fromkeys(values))})"
        for name, values in found.items()
        if len({*values}) > 1
    ]
    return f"They differ in {', '.join(told)}." if told else "Their settings are the same."
