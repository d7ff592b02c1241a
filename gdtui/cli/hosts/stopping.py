"""Ends a host, and waits until its processes are gone."""

from typing import Final

from engine.session.host.client import Channel, HostError
from engine.session.host.processes import descendants, wait_for_end
from gdtui.cli.hosts.reaching import UnreachableError

_END_SECONDS: Final = 30.0
"""Seconds that a host gets; it kills workers that take longer than half of that."""


def end_host(link: Channel) -> None:
    """End the host, and with it the run; returns when its processes are gone.

    Raises UnreachableError if one is left, or if the host does not answer.
    """
    processes = descendants(link.pid)
    try:
        link.end()
    except HostError as error:
        raise UnreachableError(str(error)) from None
    left = wait_for_end(processes, _END_SECONDS)
    link.close()
    if left:
        pids = " ".join(map(str, left))
        raise UnreachableError(
            f"still there after {_END_SECONDS:g} s; end its processes: kill -9 {pids}"
        )
