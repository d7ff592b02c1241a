"""One round of each scene of trouble; `python tests/trouble/rounds.py` plays many."""

from pathlib import Path

import pytest
from trouble import SCENES, Round, Scene


@pytest.mark.slow
@pytest.mark.parametrize(
    "scene", [scene for scenes in SCENES.values() for scene in scenes], ids=lambda one: one.__name__
)
def test_a_round_of_trouble(scene: Scene, tmp_path: Path) -> None:
    scene(Round(tmp_path / "round", seed=1))
