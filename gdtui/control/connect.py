"""Connects a viewer and a controller to a run: trained here, watched, or replayed."""

from engine.log.directory import RunDirectory
from gdtui.control.replay_controller import ReplayController
from gdtui.control.run_controller import Controls, RunController
from gdtui.control.viewer import Viewer
from gdtui.state.record_source import LogSource, RecordSource
from gdtui.state.replay import Replay
from gdtui.view.view_state import ViewState


def connect(
    run: RunDirectory, source: RecordSource | None, controls: Controls | None, view: ViewState
) -> tuple[Viewer, RunController]:
    """The viewer of a run, which begins with this view, and the controller that its keys go to.

    `source` None: the run's logs. `controls` None: no key changes how it trains.
    """
    viewer = Viewer(run, source or LogSource(run), view)
    if isinstance(viewer.source, Replay):
        return viewer, ReplayController(viewer.store, viewer.source)
    return viewer, RunController(viewer.store, controls)
