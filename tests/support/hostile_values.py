"""Strategies for values in somebody else's file: at the edge of what is allowed, and beyond."""

import struct
import unicodedata
from typing import Any

from hypothesis import strategies as st

VISIBLE_FORMATS = (
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
"""Signs of Arabic, Syriac and Kaithi, which Unicode counts among format characters."""


def is_obeyed(character: str) -> bool:
    """True where a terminal would obey the character instead of showing it."""
    return (
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and character not in VISIBLE_FORMATS
    )


HOSTILE_TEXTS = (
    "",
    " ",
    "\x1b]0;owned\x07",
    "\x1b[2J\x1b[31mred",
    "\x1b]52;c;Y2FuYXJ5\x07",
    "\x9b2J\x9d0;owned\x9c",
    "\x07\x08\x0c\x0e\x7f",
    "a\r\nb\tc\x0bd\x85e\u2028f\u2029g",
    "user\u202egpj.exe\u2066",
    "zero\u200b\u2060width\ufeff\u00ad",
    "SG\u200dD",
    "tag\U000e0041\U000e0042",
    "nul\x00nul",
    "[red]bold[/red] [@click=app.quit]quit[/] [/]",
    "{} {0} {name!r} %s %d ${HOME} $(touch canary) `id`",
    "=cmd|' /C calc'!A0",
    "'\"; import os; os.system('touch canary')  #",
    '"""\nimport os\n"""',
    "../../outside/secret",
    "損失 – потеря é 👩‍💻",
    "e" + "\u0301" * 300,
    "x" * 5_000,
    "\n" * 3_000,
)
texts = st.one_of(st.sampled_from(HOSTILE_TEXTS), st.text(max_size=12))
names = texts.filter(str.strip)

EDGES = (
    0,
    1,
    2,
    3,
    10,
    10**6,
    10**12,
    10**15,
    10**15 + 1,
    2**31,
    2**53,
    2**63 - 1,
    2**63,
    2**64 - 1,
)
edge_integers = st.one_of(st.sampled_from(EDGES), st.sampled_from([-1, -(2**31), -(2**63)]))
edge_floats = st.one_of(
    st.sampled_from(
        [0.0, -0.0, 1.0, -1.0, 5e-324, 1e-300, 1e12, 1e300, -1e300, 1.7976931348623157e308]
    ),
    st.sampled_from([float("nan"), float("inf"), float("-inf")]),
    st.floats(),
)
counts = st.one_of(st.integers(0, 100), st.sampled_from([10**6, 10**12, 10**15]))
ordinals = st.one_of(st.integers(1, 100), st.sampled_from([10**6, 10**12]))
seconds = st.one_of(st.floats(0, 100), st.sampled_from([0.0, 1e-12, 1e9, 1e12]))
rates = st.one_of(
    st.floats(1e-4, 1), st.sampled_from([0.0, 5e-324, 1e9, 1e300, 1e308, float("inf")])
)
moments = st.one_of(st.just(0.0), st.floats(1.7e9, 1.8e9), st.sampled_from([1.0, 2.5e11]))

anything: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), edge_integers, edge_floats, texts, st.binary(max_size=9)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)
"""Any value of msgpack."""


@st.composite
def losses(draw: st.DrawFn, batches: int) -> bytes:
    """Losses of so many batches, as a chunk holds them: plain ones, extremes, any bits."""
    kind = draw(st.sampled_from(["plain", "extreme", "bits"]))
    if kind == "bits":
        return draw(st.binary(min_size=4 * batches, max_size=4 * batches))
    extremes = [0.0, -1.0, 1e-45, 3.4e38, -3.4e38, float("nan"), float("inf"), float("-inf")]
    one = st.floats(0, 10, width=32) if kind == "plain" else st.sampled_from(extremes)
    values = draw(st.lists(one, min_size=1, max_size=4))
    return b"".join(struct.pack("<f", values[k % len(values)]) for k in range(batches))
