"""`gdtui serve`: the screen of runs in a browser, for people who only watch."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.log.filesystem.places import find_run, known_roots
from gdtui.cli.command import Argument, Flag, GdtuiCommand, Option, in_group
from gdtui.cli.exit_codes import ExitCode, signal_status
from gdtui.cli.options.completion import STORED_RUN, stored_runs
from gdtui.cli.options.theme import theme_option
from gdtui.cli.streams import print_error, print_json, print_text
from gdtui.cli.value_types import above_zero, fps, whole

if TYPE_CHECKING:
    import click

    from gdtui.serve.server import RunServer

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_EXAMPLES: Final = """\
examples:
  gdtui serve                               the newest run, as it trains
  gdtui serve ./baseline ./warmup           two runs, overlaid
  gdtui serve ./lesson --replay 1           a stored run, played from the start for each visitor
  gdtui serve --port 9000                   on a server; then here: ssh -L 9000:localhost:9000 HOST

exit status: 2 usage error, 130 Ctrl+C"""


def serve(
    ctx: "click.Context",
    run_dirs: tuple[Path, ...],
    replay: float | None,
    host: str,
    port: int,
    json: bool,
    **look: object,
) -> int:
    """Show runs in a browser to people who only watch; prints the address to open.

    Each visit has a separate process that reads the run and ends with the page. No visit trains,
    starts other processes or writes files; keys for that have no effect.

    Only this computer can connect, unless --host says otherwise. The address holds a random token,
    new each time; without it the server answers 403. The page loads nothing from elsewhere. The
    connection is not encrypted: to watch from another computer, use ssh -L.

    Needs textual-serve: pip install 'gdtui[web]'.
    """
    try:
        from gdtui.serve.server import RunServer
    except ImportError:
        ctx.fail("serving needs textual-serve: pip install 'gdtui[web]'")

    from engine.log.directory import RunDirectoryError
    from gdtui.cli.commands.runs.watch_run import open_watched

    try:
        shown = open_watched(run_dirs, *known_roots(), replay=replay).shown
    except RunDirectoryError as error:
        ctx.fail(str(error))
    runs = run_dirs or tuple(run.path for run in shown.runs)
    server = RunServer(runs, host, port, replay=replay, **look)  # type: ignore[arg-type]
    if host not in _LOOPBACK:
        print_error(f"{ctx.command_path}: other computers can connect, without encryption")
    try:
        return asyncio.run(_serve(server, as_json=json))
    except OSError as error:
        ctx.fail(f"cannot listen on {host}, port {port}: {error.strerror}; try another --port")


async def _serve(server: "RunServer", *, as_json: bool) -> int:
    """Serve until a signal comes; returns the exit status for it."""
    ended, status = asyncio.Event(), int(ExitCode.OK)
    loop = asyncio.get_running_loop()

    def end(number: int) -> None:
        nonlocal status
        status = signal_status(number)
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)

    def ready() -> None:
        if as_json:
            print_json({"url": server.address})
        else:
            print_text(f"{server.address}\nCtrl+C ends it")

    await server.run(ready, ended)
    return status


command = GdtuiCommand(
    serve,
    "gdtui serve [RUN …] [--replay SPEED] [OPTIONS]",
    _EXAMPLES,
    [
        *in_group(
            "run",
            Argument("run_dirs", "RUN", f"{STORED_RUN}; several, to compare them [the newest run]",
                     type=find_run, nargs=-1, required=False, shell_complete=stored_runs),
            Option("--replay", "SPEED", "replay it for each visitor; 1 is the original speed",
                   type=above_zero("a speed factor, a number above 0")),
        ),
        *in_group(
            "server",
            Option("--host", "ADDRESS", "address to listen on", default="127.0.0.1"),
            Option("--port", "N", "port to listen on", type=whole(1, 65535), default="8000"),
            Flag("--json", "print the address as JSON"),
        ),
        *in_group(
            "screen",
            theme_option(),
            Option("--fps", "N", "maximum frames per second", type=fps, default="10"),
        ),
    ],
)  # fmt: skip
