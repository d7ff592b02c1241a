"""An app on several runs, as `gdtui watch` opens them."""

from pathlib import Path

import msgspec
from shown import ObservedApp

from engine.log.directory import RunDirectory
from gdtui.state.overlay.opening import open_runs


def watching(*paths: Path, **options: object) -> ObservedApp:
    """The app on the runs in these directories."""
    opened = open_runs(paths, [])
    return ObservedApp(opened.shown, None, source=opened.source, fps=4, **options)


def set_settings(run: RunDirectory, **settings: object) -> None:
    """Let a stored run have begun with other settings."""
    changed = msgspec.structs.replace(run.info.settings, **settings)
    info = msgspec.structs.replace(run.info, settings=changed)
    (run.path / "run.json").write_bytes(msgspec.json.encode(info))
