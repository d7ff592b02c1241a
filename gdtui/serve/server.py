"""A web server that shows runs to visitors with its address; one process per visit.

Built on textual-serve, which the extra `web` installs; import this module only to serve.
"""

import asyncio
import contextlib
import secrets
import shlex
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import aiohttp_jinja2
import jinja2
from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.server import Server, to_int

_TOKEN_BYTES: Final = 24
_STOP_SECONDS: Final = 5.0
"""Seconds for an app to end by itself when its page is closed."""
_MOST_VISITS: Final = 16
_MOST_CELLS: Final = 1000
_HEADERS: Final = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "font-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:"
    ),
}


class Visit(AppService):
    """One visit and its process."""

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """Start the app without a shell, which would outlive it."""
        environment = self._build_environment(width=width, height=height)
        environment.pop("NO_COLOR", None)
        words = shlex.split(self.command)
        self._process = await asyncio.create_subprocess_exec(
            *words, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
        )
        self._stdin = self._process.stdin
        return self._process

    async def stop(self) -> None:
        """End the process: it is asked to quit, and killed if it does not."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(_STOP_SECONDS):
                await super().stop()
                await process.wait()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._task is not None:
            self._task.cancel()
            self._task = None


class RunServer(Server):
    """Serves runs below a path that cannot be guessed; everything else is forbidden."""

    def __init__(
        self,
        runs: Sequence[Path],
        host: str,
        port: int,
        *,
        theme: str,
        fps: float,
        replay: float | None,
    ) -> None:
        """`replay`: how many times as fast; None shows the runs as they are."""
        speed = "-" if replay is None else f"{replay:g}"
        words = [sys.executable, "-m", "gdtui.serve.visit", theme, f"{fps:g}", speed]
        command = shlex.join([*words, *(str(run.absolute()) for run in runs)])
        super().__init__(
            command, host, port, title="gdtui", templates_path=Path(__file__).parent / "templates"
        )
        self._token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._sockets: set[web.WebSocketResponse] = set()

    @property
    def address(self) -> str:
        """The URL to open, with the token."""
        return f"{self.public_url}/{self._token}/"

    async def _make_app(self) -> web.Application:
        pages = web.Application()
        aiohttp_jinja2.setup(pages, loader=jinja2.FileSystemLoader(self.templates_path))
        pages.add_routes(
            [
                web.get("/", self.handle_index, name="index"),
                web.get("/ws", self.handle_websocket, name="websocket"),
                web.static("/static", self.statics_path, name="static"),
            ]
        )
        app = web.Application(middlewares=[_with_headers])
        app.add_subapp(f"/{self._token}", pages)
        app.router.add_route("*", "/{path:.*}", _forbid)
        app.on_shutdown.append(self._close_all)
        return app

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One visit: an app as long as the page is open."""
        socket = web.WebSocketResponse(heartbeat=15)
        if len(self._sockets) >= _MOST_VISITS:
            raise web.HTTPServiceUnavailable(text="too many visitors at once")
        width, height = (
            min(max(to_int(request.query.get(name, ""), usual), 1), _MOST_CELLS)
            for name, usual in (("width", 80), ("height", 24))
        )
        await socket.prepare(request)
        self._sockets.add(socket)
        visit = Visit(
            self.command,
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=socket.close,  # type: ignore[arg-type]
            download_manager=self.download_manager,
        )
        try:
            await visit.start(width, height)
            await self._process_messages(socket, visit)
        except (ConnectionError, ValueError, AssertionError, KeyError, IndexError, TypeError):
            pass  # a page that is gone, or a message that no page of ours sends
        finally:
            self._sockets.discard(socket)
            await asyncio.shield(visit.stop())
        return socket

    async def _close_all(self, _: web.Application) -> None:
        for socket in list(self._sockets):
            await socket.close(code=1001)

    async def run(self, ready: Callable[[], None], ended: asyncio.Event) -> None:
        """Serve until `ended` is set; `ready` is called once visitors can come.

        Raises OSError if the address cannot be used.
        """
        runner = web.AppRunner(await self._make_app(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self.host, self.port)
            await site.start()
            ready()
            await ended.wait()
        finally:
            await runner.cleanup()


async def _forbid(_: web.Request) -> web.StreamResponse:
    raise web.HTTPForbidden(text="403: open the address that gdtui serve printed\n")


@web.middleware
async def _with_headers(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        response = await handler(request)
    except web.HTTPException as error:
        if error.status == web.HTTPNotFound.status_code:
            error = web.HTTPForbidden(text="403\n")
        error.headers.update(_HEADERS)
        raise error from None
    if not response.prepared:
        response.headers.update(_HEADERS)
    return response
