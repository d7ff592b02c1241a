"""The surveyor on a run's trails, in this process: the plane, projections, the loss at a place."""

from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from textwrap import dedent

import msgspec
import numpy as np
import pytest
import torch

from engine.landscape.plane import Window, plane_of
from engine.landscape.protocol import (
    AnySurveyMessage,
    LossRow,
    SurveyRequest,
    SurveyStarted,
    Trajectories,
)
from engine.landscape.server import SurveyServer
from engine.log.directory import RunDirectory
from engine.measure.model_copy import Probe
from engine.measure.weights_log import TrailWriter, trail_path
from engine.problems import registry
from engine.problems.opening import open_problem
from engine.settings import RunSettings, Variant, VariantSettings
from engine.training.trainer import Trainer


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """Two variants of the lesson's problem, with the trails of some epochs."""
    variants = tuple(
        Variant(name=f"v{size}", settings=VariantSettings(batch_size=size, lr=0.1))
        for size in (64, 16)
    )
    made = RunDirectory.create(tmp_path / "run", RunSettings(variants=variants, device="cpu"), "0")
    for variant in variants:
        trainer = Trainer(registry.load("synthetic", 0), variant.settings, 0, torch.device("cpu"))
        writer = TrailWriter(trail_path(made.variant_log(variant.name)), 11)
        writer.begin()
        for _ in range(30):
            writer.add(1, trainer.updates, trainer.samples, 0.0, trainer.weights())
            trainer.advance(5)
    return made


def copied(run: RunDirectory, path: Path, *, size: int = 11) -> RunDirectory:
    """Another run of the same settings, with a trail of so many weights for its first variant."""
    made = RunDirectory.create(path, run.info.settings, "0")
    writer = TrailWriter(trail_path(made.path / made.info.logs[0]), size)
    writer.begin()
    for k in range(3):
        writer.add(1, k, k, 0.0, np.full(size, k / 10, np.float32))
    return made


def paths_of(run: RunDirectory) -> list[np.ndarray]:
    from engine.measure.weights_log import Trail

    return [
        Trail(trail_path(run.path / log)).read()["weights"].astype(float) for log in run.info.logs
    ]


def survey(
    surveying: SurveyServer, ours: Connection, request: SurveyRequest
) -> list[AnySurveyMessage]:
    """All that it answers to one wish."""
    ours.send_bytes(msgspec.msgpack.encode(request))
    surveying.listen(0.0)
    found: list[AnySurveyMessage] = []
    is_busy = True
    while is_busy:
        is_busy = surveying.step()
        while ours.poll():
            found.append(msgspec.msgpack.decode(ours.recv_bytes(), type=AnySurveyMessage))
    return found


def test_trajectories_are_the_projections_of_the_recorded_weights(run: RunDirectory) -> None:
    ours, theirs = Pipe()
    found = survey(
        SurveyServer(run, theirs), ours, SurveyRequest(id=1, window=None, columns=8, rows=8)
    )
    recorded = paths_of(run)
    plane = plane_of(recorded)
    (laid,) = [each for each in found if isinstance(each, SurveyStarted)]
    assert laid.explained == pytest.approx(plane.explained)
    assert (laid.samples, laid.n, laid.is_exact) == (2000, 2000, False)
    shown = [each for each in found if isinstance(each, Trajectories)][-1]
    for points, path in zip(shown.points, recorded, strict=True):
        assert np.allclose(
            np.frombuffer(points, "<f4").reshape(-1, 2), plane.project(path), atol=1e-5
        )


def test_trajectories_of_several_runs_lie_on_one_plane(run: RunDirectory, tmp_path: Path) -> None:
    """A path through weights of another number lies on no plane with them."""
    other, unlike = copied(run, tmp_path / "other"), copied(run, tmp_path / "unlike", size=7)
    logs = [each.path / log for each in (other, unlike) for log in each.info.logs]
    ours, theirs = Pipe()
    found = survey(
        SurveyServer(run, theirs, others=logs),
        ours,
        SurveyRequest(id=1, window=None, columns=4, rows=4),
    )
    recorded = [*paths_of(run), paths_of(other)[0]]
    plane = plane_of(recorded)
    shown = [each for each in found if isinstance(each, Trajectories)][-1]
    lengths = [len(points) // 8 for points in shown.points]
    assert lengths == [30, 30, 3, 0, 0, 0]
    for points, path in zip(shown.points, recorded, strict=False):
        assert np.allclose(
            np.frombuffer(points, "<f4").reshape(-1, 2), plane.project(path), atol=1e-5
        )


def test_the_loss_is_that_of_the_weights_at_the_place(run: RunDirectory) -> None:
    ours, theirs = Pipe()
    surveying = SurveyServer(run, theirs)
    survey(surveying, ours, SurveyRequest(id=1, window=None, columns=4, rows=4))
    recorded = paths_of(run)
    plane = plane_of(recorded)
    end = plane.project(recorded[1][-1:])[0]
    x, y = end.tolist()
    around = Window(left=x - 1, right=x + 1, bottom=y - 1, top=y + 1)
    found = survey(surveying, ours, SurveyRequest(id=2, window=around, columns=9, rows=9))
    rows = [each for each in found if isinstance(each, LossRow) and each.rows == 9]
    assert [row.row for row in rows] == list(range(9))
    middle = np.frombuffer(rows[4].losses, "<f4")[4]
    inputs, target = registry.load("synthetic", 0).train
    weights = torch.from_numpy(plane.weights(end[None])[0]).float()
    output = inputs @ weights[:10] + weights[10]
    expected = torch.nn.functional.binary_cross_entropy_with_logits(output, target)
    assert middle == pytest.approx(expected.item(), rel=1e-4)


def test_the_plane_follows_growing_trails_only_while_all_is_looked_at(run: RunDirectory) -> None:
    ours, theirs = Pipe()
    surveying = SurveyServer(run, theirs, trail_seconds=0.0, refit_seconds=0.0)
    survey(surveying, ours, SurveyRequest(id=1, window=None, columns=4, rows=4))
    first = surveying.plane
    writer = TrailWriter(trail_path(run.path / run.info.logs[0]), 11)
    for k in range(40):
        writer.add(1, 1000 + k, 0, 0.0, np.full(11, k, np.float32))
    surveying.step()
    assert surveying.plane is not first
    second = surveying.plane
    survey(
        surveying,
        ours,
        SurveyRequest(id=2, window=Window(left=0, right=1, bottom=0, top=1), columns=4, rows=4),
    )
    for k in range(99):
        writer.add(1, 2000 + k, 0, 0.0, np.full(11, -k, np.float32))
    surveying.step()
    assert surveying.plane is second


# --- What a model remembers beside its weights --------------------------------------------------

NORMALISED = """
    import torch
    from torch import nn
    from engine import Problem

    class Drifting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, x):
            if self.training:
                self.seen += 1
            return x

    def problem():
        x = 5 + 3 * torch.randn(400, 4)
        y = (x[:, :1] - 5) / 3
        layers = nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.1), nn.Linear(8, 1)
        model = lambda: nn.Sequential(*layers, EXTRA)
        return Problem(train=(x, y), model=model, loss=nn.functional.mse_loss)
"""


def normalised(path: Path, extra: str) -> tuple[RunDirectory, Trainer]:
    """A run of one variant with three recorded weights in the plane, its trainer at the last."""
    file = path / "net.py"
    file.write_text(dedent(NORMALISED).replace("EXTRA", extra))
    variant = Variant(name="a", settings=VariantSettings(batch_size=40, lr=0.05))
    run = RunDirectory.create(
        path / "run", RunSettings(problem=str(file), variants=(variant,), device="cpu"), "0"
    )
    trainer = Trainer(open_problem(str(file), 0, None), variant.settings, 0, torch.device("cpu"))
    writer = TrailWriter(trail_path(run.variant_log("a")), len(trainer.weights()))
    writer.begin()
    for updates in (300, 300, 0):
        writer.add(1, trainer.updates, trainer.samples, 0.0, trainer.weights())
        for _ in range(updates // 10):
            trainer.advance(10)
    return run, trainer


def loss_at_the_end(run: RunDirectory) -> tuple[float, SurveyStarted]:
    """The loss at the last recorded weights, and the plane's description."""
    ours, theirs = Pipe()
    surveying = SurveyServer(run, theirs)
    survey(surveying, ours, SurveyRequest(id=1, window=None, columns=2, rows=2))
    recorded = paths_of(run)
    x, y = plane_of(recorded).project(recorded[0][-1:])[0].tolist()
    around = Window(left=x - 1, right=x + 1, bottom=y - 1, top=y + 1)
    found = survey(surveying, ours, SurveyRequest(id=2, window=around, columns=9, rows=9))
    (laid,) = [each for each in found if isinstance(each, SurveyStarted)]
    (middle,) = [
        each for each in found if isinstance(each, LossRow) and (each.row, each.rows) == (4, 9)
    ]
    return float(np.frombuffer(middle.losses, "<f4")[4]), laid


def test_batch_norm_has_the_statistics_of_the_place(tmp_path: Path) -> None:
    run, trainer = normalised(tmp_path, "nn.Identity()")
    found, laid = loss_at_the_end(run)
    assert (laid.normalises, laid.remembers_more) == (True, False)
    # The running statistics of training are noisy: at momentum 0.1 they average over some 19
    # batches of 40 samples, so their variances are known to √(2/760) = 5%; twice that.
    assert found == pytest.approx(trainer.full_loss(), rel=0.1)
    fresh = Trainer(
        open_problem(run.info.settings.problem, 0, None), trainer.settings, 0, trainer.device
    )
    probe = Probe.of(fresh, np.arange(400))
    probe.move(torch.from_numpy(trainer.weights()))
    assert probe.full_loss() > 2 * found, (
        "with the statistics of the first weights it is another loss"
    )
    # With those of all the data at once it is exactly the loss of a pass in training mode without
    # dropout.
    model = trainer.objective.model
    for layer in model:
        layer.train(not isinstance(layer, torch.nn.Dropout))
    with torch.no_grad():
        exact = trainer.objective.loss(trainer.source.pick(np.arange(400))).item()
    assert found == pytest.approx(exact, rel=5e-3)  # ddof 1 of 400 samples, float32 weights


def test_other_buffers_that_training_changes_are_told(tmp_path: Path) -> None:
    run, _ = normalised(tmp_path, "Drifting()")
    _, laid = loss_at_the_end(run)
    assert (laid.normalises, laid.remembers_more) == (True, True)


def test_a_model_without_buffers_keeps_nothing(run: RunDirectory) -> None:
    _, laid = loss_at_the_end(run)
    assert (laid.normalises, laid.remembers_more) == (False, False)


@pytest.mark.parametrize("most", [1, 64, 1024])
def test_statistics_are_those_of_all_samples_whatever_fits_at_once(
    tmp_path: Path, most: int
) -> None:
    _, trainer = normalised(tmp_path, "nn.Identity()")
    whole = Probe.of(trainer, np.arange(400))
    part = Probe(trainer.objective, trainer.source, np.arange(333), most)
    for probe in (whole, part):
        probe.renew_statistics()
    wide, narrow = (probe.model[1].running_mean for probe in (whole, part))
    assert torch.allclose(wide, narrow, atol=0.5)
    layer = trainer.objective.model[0]
    exact = layer(trainer.source.pick(np.arange(333))[0]).mean(0)
    assert torch.allclose(narrow, exact, atol=0.02 if most > 1 else 0.05)
    assert part.model[1].momentum == 0.1
    assert not any(module.training for module in part.model.modules())
