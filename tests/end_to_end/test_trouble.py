"""One round of nearly each scene of trouble; `python tests/trouble/rounds.py` plays many."""

from pathlib import Path

import pytest
from trouble import SCENES, Round, Scene, removed_directory

ONCE = [scene for scenes in SCENES.values() for scene in scenes if scene is not removed_directory]
"""All but directories that are moved away and back, which test_vanished.py has."""


@pytest.mark.slow
@pytest.mark.parametrize("scene", ONCE, ids=lambda one: one.__name__)
def test_a_round_of_trouble(scene: Scene, tmp_path: Path) -> None:
    scene(Round(tmp_path / "round", seed=1))
