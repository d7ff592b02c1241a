"""The lesson walked by keys in a real terminal, first step to last, at 160×45 and at 80×24."""

import math
from string import Formatter

import pytest
from real_app import CONSOLE_SCRIPT, App, StartApp

from engine.log.figures.batch_noise import BatchNoise
from engine.log.follow import Follower
from engine.log.json_report import VariantReport, report
from engine.log.summary import Tally
from gdtui.lesson.course.content import Part, load
from gdtui.view.text.formatting import number
from gdtui.widgets.coach import with_keys

LARGE, SMALL = (160, 45), (80, 24)
ENTER, ESCAPE, UP, DOWN = "\r", "\x1b", "\x1b[A", "\x1b[B"
FIRST_FIELD, LAST_FIELD = "batch size  ", "drop last  "
"""Fields of the form; they are waited for until they are focused."""
DEEDS = {
    ("look", 0): ["paused", "3"],
    ("look", 1): [" "],
    ("fold", 0): ["S"],
    ("fold", 1): ["T", "effective batch", ESCAPE],
    ("cloud", 0): ["3", *"]]]]]]", "c"],
    ("edge", 0): [*"...."],
    ("edge", 1): ["1", *".....", "c", "c", "!"],
    ("accumulate", 0): ["2", "u", "r"],
    ("momentum", 0): ["m", "r"],
    ("momentum", 1): [ENTER, FIRST_FIELD, UP, LAST_FIELD, "on", "drop last on", ENTER],
    ("noise", 0): ["X", "enter runs", ENTER, "saddle: ", ESCAPE],
    ("noise", 1): ["X", "↑ ↓ choose", DOWN, "enter runs", ENTER, "sharp-minimum: ", ESCAPE],
    ("generalise", 0): ["1", "3"],
    ("trade-offs", 0): ["o", "W", "enter measures", ENTER, "measured best", ESCAPE],
    ("choose", 0): ["e", "In an interview", ESCAPE],
    ("test", 0): ["1", "2"],
    ("test", 1): ["3"],
    ("test", 2): ["1"],
}
"""The keys of each deed; words are waited for."""


def reports(app: App) -> dict[str, VariantReport]:
    """The run's JSON so far, by variant."""
    run = app.run
    tallies = {
        one.name: Tally(one.name, one.settings, batch_noise=BatchNoise())
        for one in run.info.settings.variants
    }
    for name, record in Follower(run).read(10**9):
        tallies[name].add(record)
    return {each.name: each for each in report(run, list(tallies.values())).variants}


def literal(text: str) -> str:
    """The longest piece of a text without figures, as shown."""
    return max((piece for piece, *_ in Formatter().parse(with_keys(text).plain)), key=len)


def see(app: App, words: str, patience: float = 240) -> None:
    app.terminal.wait_for(lambda: app.terminal.says(words), patience=patience)


def is_focused(app: App, field: str) -> bool:
    """True when the form of settings is open, and this field has another background."""
    rows, cells = app.terminal.screen, app.terminal.cells
    places = [(y, row.find(name)) for name in (field, "lr scaling  ")
              for y, row in enumerate(rows) if "│  " + name in row]  # fmt: skip
    if len(places) < 2:
        return False
    (first, x), (other, _) = places
    return cells[first][x + 40][2] != cells[other][x + 40][2]


def do(app: App, deed: list[str]) -> None:
    """Press the keys of a deed, and wait for the words between them."""
    for each in deed:
        if each in (FIRST_FIELD, LAST_FIELD):
            app.terminal.wait_for(lambda each=each: is_focused(app, each))
        elif len(each) > 1 and each not in (UP, DOWN, "on"):
            see(app, each)
        else:
            app.terminal.send(each)


def check_figures(app: App, part: tuple[str, int], said: str) -> None:
    """The figures on the screen are those of the run's JSON, where the run is at rest."""
    found = reports(app)
    losses = [each.full_loss or math.nan for each in found.values()]
    match part:
        case "look", 1:
            assert "/".join(map(number, losses)) in said
        case "fold", 0:
            assert f"{number(max(losses) - min(losses))}apart;itwas" in said


def ask(app: App, part: Part) -> None:
    """The deed is asked for at both sizes, and G refuses to go on before it."""
    for size in (SMALL, LARGE):
        app.terminal.resize(*size)
        see(app, literal(part.ask))
    app.terminal.send("G")
    see(app, "not yet")
    see(app, literal(part.ask))


def go_on(app: App, words: str) -> None:
    """Turn the pages of what was found until the screen asks for the next deed, in these words.

    By what is there rather than by a count: a screen caught while it is drawn tells nothing.
    """
    while not app.terminal.says(words):
        if "✓" in (before := app.terminal.text):
            app.terminal.send("G")
        app.terminal.wait_for(lambda before=before: app.terminal.text != before, patience=240)


@pytest.mark.slow
@pytest.mark.timeout(1200)  # it waits for two experiments and a sweep
def test_the_lesson_is_walked_by_keys_and_names_the_figures_of_the_run(
    start_app: StartApp,
) -> None:
    app = start_app("--epochs", "2", "--pace", "free", command=[*CONSOLE_SCRIPT, "lesson"])
    steps = load().steps
    following = iter([literal(part.ask) for step in steps for part in step.parts][1:])
    for step in steps:
        for place, part in enumerate(step.parts):
            ask(app, part)
            do(app, DEEDS[step.name, place])
            if not part.said:
                next(following, None)
                continue
            pages = [literal(page) for page in (part.said[0], *part.otherwise[:1])]
            app.terminal.wait_for(
                lambda pages=pages: any(map(app.terminal.says, pages)), patience=240
            )
            check_figures(app, (step.name, place), "".join(app.terminal.text.split()))
            go_on(app, next(following, "that was the lesson;"))
    app.terminal.send("q")
    app.terminal.wait_for(lambda: app.terminal.has_ended or app.terminal.says("s stops it"))
    if not app.terminal.has_ended:  # on a slow machine the last run is older than a minute
        app.terminal.send("s")
    assert app.terminal.wait() == 0
    app.check_restored()
    app.wait_for_nobody()
