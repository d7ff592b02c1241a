"""Lines that differ in their numbers alone."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.programs.text.pairs import pairs_of, parse_line

_NUMBERS = st.floats(allow_nan=False).map(repr) | st.sampled_from(
    ["1,234", "-1,234.5", "+.5", "5.", "1e-5", "inf", "-inf", "12345678901234567890"]
)


@settings(max_examples=60)
@given(st.integers(0, 10**9), _NUMBERS, _NUMBERS)
def test_every_line_of_a_template_has_its_own_numbers(step: int, loss: str, rate: str) -> None:
    found = parse_line(f"[12:30:{step % 60:02d}] step {step:,}/{10**9}: loss {loss}, lr={rate}")
    assert found is not None
    assert (found.step, found.total) == (step, 10**9)
    expected = {"loss": float(loss.replace(",", "")), "lr": float(rate.replace(",", ""))}
    assert found.values == expected


def test_digits_in_names_and_parts_of_numbers_are_no_numbers() -> None:
    for layer in range(3):
        assert pairs_of(f"layer{layer}.loss: 0.{layer}").values == {
            f"layer{layer}.loss": layer / 10
        }
        assert pairs_of(f"host: 10.0.0.{layer} acc: 1.{layer}").values == {"acc": 1 + layer / 10}
    assert math.isnan(pairs_of("loss: nan").values["loss"])
    assert pairs_of("loss: 1").values == {"loss": 1.0}
