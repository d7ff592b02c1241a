"""The remarks of scripts on how their figures are to be read. Pure."""

from collections.abc import Iterator

from gdtui.state.store import Store


def remarks(store: Store) -> Iterator[str]:
    """The remarks of scripts on their figures; the same one of several variants once."""
    names: dict[str, list[str]] = {}
    for one in store.states:
        for text in one.tally.worker.remarks:
            names.setdefault(text, []).append(one.tally.name)
    for text, about in names.items():
        yield f"{', '.join(about)}: {text}."
