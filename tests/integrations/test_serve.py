"""`gdtui serve` in a browser: the run is seen, with the token only, and no process is left."""

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from terminal import children_of

from gdtui.theme import THEMES, colours

aiohttp = pytest.importorskip("aiohttp")
pytest.importorskip("textual_serve")
pytestmark = pytest.mark.integration
STORED = Path(__file__).parents[1] / "stored_runs" / "format-1"
PATIENCE = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def serving(env: dict[str, str]) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """The address and the process of a server; Ctrl+C ends it, and everything that it started."""
    options = ("--port", str(free_port()), "--json")
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gdtui", "serve", str(STORED), *options),
        stdout=asyncio.subprocess.PIPE,
        env=env,
    )
    try:
        assert server.stdout is not None
        yield json.loads(await server.stdout.readline())["url"], server
        started = children_of(server.pid)
        server.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(server.wait(), PATIENCE) == 130
        assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.kill()
        await server.wait()


async def status_of(address: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        status: int = response.status
        return status


async def no_visit_left(server: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while children_of(server):
            await asyncio.sleep(0.05)


async def test_without_the_token_it_is_forbidden(cli_env: dict[str, str]) -> None:
    async with serving(cli_env) as (address, server):
        root = address.rsplit("/", 2)[0]
        token = address.rsplit("/", 2)[1]
        assert len(token) >= 32
        assert root.startswith("http://127.0.0.1:")
        assert await status_of(address) == 200
        wrong = ("/", "/ws", "/static/js/textual.js", f"/{token[:-1]}/", f"/{token}x/ws")
        assert {path: await status_of(root + path) for path in wrong} == dict.fromkeys(wrong, 403)
        assert await status_of(f"{address}../{token}/nothing") == 403
        assert not children_of(server.pid), "no visit, no process"


async def test_a_visit_without_a_browser_ends_with_its_socket(cli_env: dict[str, str]) -> None:
    """Messages that no page sends end it as well."""
    async with serving(cli_env) as (address, server), aiohttp.ClientSession() as session:
        for message in (None, "no JSON", '["stdin", 3]'):
            async with session.ws_connect(f"{address}ws?width=100&height=x") as page:
                first = await page.receive(timeout=PATIENCE)
                assert first.type is aiohttp.WSMsgType.BINARY
                assert len(children_of(server.pid)) == 1
                if message is not None:
                    await page.send_str(message)
            await no_visit_left(server.pid)


async def test_a_port_in_use_is_an_error(cli_env: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gdtui", "serve", str(STORED)),
            *("--port", str(taken.getsockname()[1])),
            stderr=asyncio.subprocess.PIPE,
            env=cli_env,
        )
        _, said = await process.communicate()
    assert process.returncode == 2
    assert b"try another --port" in said
    assert said.count(b"\n") == 1


async def test_the_run_is_seen_in_a_browser(cli_env: dict[str, str], tmp_path: Path) -> None:
    image_module = pytest.importorskip("PIL.Image")
    from browser import CHROMIUM, browser

    if CHROMIUM is None:
        pytest.skip("no Chromium")
    async with serving(cli_env) as (address, server):
        async with browser(tmp_path / "profile") as page:
            await page.open(address)
            await page.wait_for("document.body?.className", lambda name: "first-byte" in str(name))
            for colour in colours(THEMES["dark"])[:3]:
                wanted = tuple(bytes.fromhex(colour.removeprefix("#")))
                async with asyncio.timeout(PATIENCE):
                    while wanted not in pixels(image_module, await page.screenshot()):
                        await asyncio.sleep(0.2)
            host = address.split("/")[2]
            assert all(each.split("/")[2] == host for each in page.requests if "//" in each)
            assert len(children_of(server.pid)) == 1
        await no_visit_left(server.pid)


def pixels(image_module: object, png: bytes) -> set[tuple[int, ...]]:
    image = image_module.open(BytesIO(png)).convert("RGB")  # type: ignore[attr-defined]
    return {colour for _, colour in image.getcolors(maxcolors=1 << 24)}
