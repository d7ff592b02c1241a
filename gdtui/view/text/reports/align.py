"""Tables of plain text for the terminal: columns aligned by spaces."""

from collections.abc import Sequence, Set


def align_columns(rows: Sequence[Sequence[str]], left: Set[int]) -> str:
    """Rows as lines, with cells as wide as their columns; `left`: the columns of words."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
