"""The state of run and view, for the footer. Pure."""

from engine.log.records import State
from engine.programs import PROGRAM
from gdtui.control.run_controller import RunController
from gdtui.control.viewer import Viewer
from gdtui.keys.footer import FooterState
from gdtui.view.x_range import WholeRange


def footer_state(viewer: Viewer, controller: RunController) -> FooterState:
    """The state of this run, and of the view of it."""
    store, view, states = viewer.store, viewer.view, viewer.store.states
    is_replay = bool(viewer.obeyed)
    return FooterState(
        variants=len(states),
        obeyed=viewer.obeyed,
        next_rule=states[0].wanted.lr_scaling.following,
        folds=len(states) > 1 and store.varies_batch_alone,
        is_paused=not is_replay and any(one.tally.state is State.PAUSED for one in states),
        has_ended=store.has_ended,
        is_in_trouble=any(one.has_run_away for one in states),
        can_undo=controller.can_undo,
        has_ghosts=any(view.shows_ghost(one) for one in states),
        is_selected=view.selected is not None and len(states) > 1,
        has_crosshair=viewer.cursor is not None,
        has_moved=viewer.cursor is not None or not isinstance(view.window, WholeRange),
        is_known=any(one.tally.noise_scale or one.tally.sharpness for one in states),
        has_question=viewer.question is not None,
        takes_text=viewer.shown.settings.device == PROGRAM and not store.has_ended,
        has_metrics=any(one.current.named.names for one in states if one.current),
    )
