"""A chart drawn from a sample of the losses, without what only all losses can show. Pure."""

from dataclasses import replace

from gdtui.chart.scene.picture import Picture, Series


def of_sample(picture: Picture) -> Picture:
    """The picture without values, counts and comparisons: curves, single values and marks."""
    headline = picture.headline
    return replace(
        picture,
        series=tuple(map(_without_value, picture.series)),
        title=picture.title.replace(f" · {headline}", "", 1) if headline else picture.title,
        headline="",
        is_good_news=False,
        above="",
        below="",
    )


def _without_value(series: Series) -> Series:
    """The series with the number and the name at its end, but not its last value."""
    return replace(series, end=series.end.rpartition(" ")[0])
