"""How comparable overlaid runs are: one problem or several, one start or several."""

from collections.abc import Iterable

from engine.settings import RunSettings


def problem_titles(runs: Iterable[RunSettings]) -> list[str]:
    """The titles of the different problems, in order."""
    titles = {_problem(run): run.title for run in runs}
    return list(dict.fromkeys(titles.values()))


def have_one_problem(runs: Iterable[RunSettings]) -> bool:
    """True when all train on the same data towards the same target."""
    return len({_problem(run) for run in runs}) <= 1


def have_one_start(runs: Iterable[RunSettings]) -> bool:
    """True when all start from the same weights and see the same samples in the same order."""
    return len({(run.problem, run.data, run.seed) for run in runs}) <= 1


def comparability_note(runs: Iterable[RunSettings]) -> str:
    """A sentence for runs whose losses may mean different things; empty for others."""
    every = list(runs)
    if have_one_problem(every):
        return ""
    titles = ", ".join(problem_titles(every))
    return f"The runs train different problems ({titles}): their losses may not be comparable."


def _problem(run: RunSettings) -> tuple[str, str | None, str | None]:
    if run.data is None:
        return run.problem, None, None
    return run.problem, run.data.path, run.data.target
