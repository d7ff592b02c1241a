"""Keys that change the view but not the training: a part of the table in table.py."""

from typing import Final

from gdtui.keys.stroke import Entry, Stroke

VIEW: Final[tuple[Entry, ...]] = (
    Entry(
        "axis",
        "View",
        (Stroke("x", "x", "axis", "x axis: samples, updates, seconds"),),
        "x axis: samples, updates, seconds",
        label="axis",
    ),
    Entry(
        "log",
        "View",
        (Stroke("y", "y", "log", "y axis: linear or log"),),
        "y axis linear or logarithmic",
    ),
    Entry(
        "cursor",
        "View",
        (
            Stroke("h", "h", "cursor(-1)", "Crosshair: left"),
            Stroke("l", "l", "cursor(1)", "Crosshair: right"),
            Stroke("H", "H", "cursor(-10)", "Crosshair: ten columns left"),
            Stroke("L", "L", "cursor(10)", "Crosshair: ten columns right"),
        ),
        "crosshair left, right, by ten (H L); reads out all variants",
        label="crosshair",
    ),
    Entry(
        "hide",
        "View",
        (Stroke("escape", "escape", "hide", "Hide the crosshair, or the results"),),
        "hide the crosshair, or the results",
        label="hide",
    ),
    Entry(
        "smoothing",
        "View",
        (Stroke("w", "w", "smoothing", "Smoothing: ¼, 1, 4 epochs"),),
        "smooth over ¼, 1 or 4 epochs: the lines and the loss",
    ),
    Entry(
        "raw",
        "View",
        (Stroke("b", "b", "raw", "Every batch on the overlay, or smoothed lines"),),
        "every batch, raw, on the overlay; again: smoothed lines",
    ),
    Entry(
        "ghosts",
        "View",
        (Stroke("g", "g", "ghosts", "Clear the ghosts, or bring them back"),),
        "clear the ghosts; again: bring them back",
        label="ghosts",
    ),
    Entry(
        "focus",
        "View",
        (Stroke("z", "z", "fill", "One chart over the whole screen, or back"),),
        "one chart (of the selected, or of all) over the whole screen",
        label="focus",
    ),
    Entry(
        "zoom",
        "View",
        (
            Stroke("plus,equals_sign", "+", "zoom(1)", "Zoom in"),
            Stroke("minus", "-", "zoom(-1)", "Zoom out"),
        ),
        "zoom all charts in (also =) or out; the wheel: at the pointer",
        label="zoom",
    ),
    Entry(
        "pan",
        "View",
        (Stroke("left", "left", "pan(-1)", "Earlier"), Stroke("right", "right", "pan(1)", "Later")),
        "earlier or later, where it is zoomed; or drag it",
        label="pan",
    ),
    Entry(
        "window",
        "View",
        (
            Stroke("home", "home", "whole", "The whole history"),
            Stroke("end", "end", "follow", "Follow the newest"),
        ),
        "the whole history (or double click), or follow the newest",
        label="all, newest",
    ),
    Entry(
        "summary",
        "View",
        (Stroke("i", "i", "summary", "Show or hide the summary"),),
        "show or hide the summary of results",
        label="results",
    ),
    Entry(
        "console",
        "View",
        (
            Stroke("O", "O", "console", "Console: what the process has printed"),
            Stroke("I", "I", "type", "Input: type to the program of gdtui run"),
            Stroke("C", "C", "answer", "Change of meaning: answer the question"),
        ),
        "console; type to a program; say what its changed loss means",
        label="console",
    ),
    Entry(
        "theme",
        "View",
        (Stroke("t", "t", "app.theme", "Theme: dark, light, high contrast"),),
        "dark, light or high contrast",
    ),
)
