"""Connects a viewer and a controller to a run: trained here, watched, or replayed."""

from gdtui.control.controls import Controls
from gdtui.control.replay_controller import ReplayController
from gdtui.control.run_controller import RunController
from gdtui.control.viewer import Viewer
from gdtui.state.overlay.shown_runs import ShownRuns
from gdtui.state.record_source import LogSource, RecordSource
from gdtui.state.replay import Replay
from gdtui.state.runs.checkpoints import kept_batches
from gdtui.view.view_state import ViewState


def connect(
    shown: ShownRuns, source: RecordSource | None, controls: Controls | None, view: ViewState
) -> tuple[Viewer, RunController]:
    """The viewer of these runs, starting with this view, and the controller of its keys.

    `source` None reads the logs of the one run. `controls` None: no key changes how it trains.
    """
    viewer = Viewer(shown, source or LogSource(*shown.runs), view)
    if isinstance(viewer.source, Replay):
        return viewer, ReplayController(viewer.store, viewer.source)

    def kept(name: str) -> list[int]:
        return kept_batches(shown.origin(name).run.variant_log(shown.origin(name).own_name))

    return viewer, RunController(viewer.store, controls, kept=kept)
