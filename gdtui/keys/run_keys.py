"""The keys that change how a run trains or measures: a part of the table in table.py.

For a run of another process they only answer that they have no effect.
"""

from typing import Final

from gdtui.keys.stroke import Entry, Stroke

COMMANDS: Final[tuple[Entry, ...]] = (
    Entry(
        "batch",
        "Settings of the selected",
        (
            Stroke("left_square_bracket", "[", "batch(-1)", "Batch size: halve"),
            Stroke("right_square_bracket", "]", "batch(1)", "Batch size: double"),
        ),
        "halve or double the batch size: 1, 2, 4 … full",
        label="batch",
    ),
    Entry(
        "lr",
        "Settings of the selected",
        (
            Stroke("comma", ",", "lr(-1)", "Learning rate: down"),
            Stroke("full_stop", ".", "lr(1)", "Learning rate: up"),
        ),
        "base learning rate down or up: 1, 2, 5, 10 …",
        label="lr",
    ),
    Entry(
        "accumulation",
        "Settings of the selected",
        (
            Stroke("A", "A", "accumulation(-1)", "Accumulation: halve"),
            Stroke("a", "a", "accumulation(1)", "Accumulation: double"),
        ),
        "halve or double the batches accumulated into one update",
        label="accum",
    ),
    Entry(
        "accumulate",
        "Settings of the selected",
        (Stroke("u", "u", "accumulate", "Accumulate instead: half the batch, twice accumulated"),),
        "halve the batch, double the accumulation: saves memory",
        label="accumulate",
    ),
    Entry(
        "momentum",
        "Settings of the selected",
        (Stroke("m", "m", "momentum", "Momentum: 0 or 0.9"),),
        "momentum 0 or 0.9",
        label="momentum",
    ),
    Entry(
        "edit",
        "Settings of the selected",
        (Stroke("enter", "enter", "edit", "Type exact settings"),),
        "type exact values",
        label="edit",
    ),
    Entry(
        "restart",
        "Settings of the selected",
        (Stroke("r", "r", "restart", "Restart from the same first weights"),),
        "restart from the same weights; the old curve stays as a ghost",
        label="restart",
    ),
    Entry(
        "rewind",
        "Settings of the selected",
        (Stroke("R", "R", "rewind", "Rewind to the crosshair"),),
        "rewind to the crosshair; the old future stays as a ghost",
        label="rewind here",
    ),
    Entry(
        "fork",
        "Settings of the selected",
        (Stroke("F", "F", "fork", "Fork at the crosshair"),),
        "fork: a new variant that begins at the crosshair's batch",
        label="fork here",
    ),
    Entry(
        "add",
        "Settings of the selected",
        (Stroke("N", "N", "add", "New variant with these settings"),),
        "new variant from the start, with the settings of the selected",
    ),
    Entry(
        "remove",
        "Settings of the selected",
        (Stroke("D", "D", "remove", "Remove the selected variant"),),
        "remove the selected variant; asks first, and its log stays",
    ),
    Entry(
        "scaling.restart",
        "All variants",
        (Stroke("S", "S", "scaling(True)", "Scale the lr by another rule and restart all"),),
        "restart all with the next lr scaling: none, linear, √batch",
        label="scale lr, restart",
    ),
    Entry(
        "scaling",
        "All variants",
        (Stroke("s", "s", "scaling(False)", "Scale the lr by another rule from here on"),),
        "next lr scaling from here on; present distances remain",
    ),
    Entry(
        "undo",
        "All variants",
        (Stroke("backspace", "backspace", "undo", "Undo the last change of settings"),),
        "undo the last change; also its weights, from a checkpoint",
        label="undo",
    ),
    Entry(
        "original",
        "All variants",
        (Stroke("o", "o", "original", "The original settings, as at the start"),),
        "original settings; restarts if a key has restarted",
        label="original",
    ),
    Entry(
        "pause",
        "All variants",
        (Stroke("space", "space", "pause", "Pause or resume"),),
        "pause or resume; also tries again after a full disk",
        label="pause",
    ),
    Entry(
        "step",
        "All variants",
        (Stroke("n", "n", "step", "One update, then pause"),),
        "one update of each selected variant, then pause",
        label="one update",
    ),
    Entry(
        "extend",
        "All variants",
        (Stroke("c", "c", "extend", "Train as many epochs again"),),
        "continue: train for as many epochs again",
        label="continue",
    ),
    Entry(
        "pace",
        "All variants",
        (
            Stroke("less_than_sign", "<", "pace(-1)", "Pace: slower"),
            Stroke("greater_than_sign", ">", "pace(1)", "Pace: faster"),
        ),
        "slower or faster, in epochs per second",
        label="pace",
    ),
    Entry(
        "free",
        "All variants",
        (Stroke("f", "f", "free", "Pace: free, or back"),),
        "free: as fast as the device goes; again: the previous pace",
        label="free",
    ),
    Entry(
        "measure",
        "Measuring",
        (Stroke("exclamation_mark", "!", "measure", "Measure noise scale and curvature now"),),
        "measure noise scale and curvature of the selected now",
    ),
    Entry(
        "measuring",
        "Measuring",
        (Stroke("M", "M", "measuring", "Measuring: on or off"),),
        "measure by itself, in 2% of the time, or only when asked",
    ),
)
