"""Ends hosts, and waits until their processes are gone."""

from collections.abc import Sequence
from typing import Final

from engine.session.host.client import Channel, HostError
from engine.session.host.processes import descendants, wait_for_end
from engine.session.host.several.links import HostLinks
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
    _wait(processes)
    link.close()


def end_hosts(links: HostLinks) -> None:
    """End all hosts of a run; as `end_host` otherwise. A refusal keeps no other host from ending.

    With several hosts, the error says which variants it is about.
    """
    processes: set[int] = set()
    refusals: list[str] = []
    for link in links.living:
        found = descendants(link.pid)
        try:
            link.end()
        except HostError as error:
            refusals.append(links.about(link, str(error)))
        else:
            processes |= found
    _wait(processes, refusals)
    links.close()


def _wait(processes: set[int], refusals: Sequence[str] = ()) -> None:
    trouble = [*refusals]
    if left := wait_for_end(processes, _END_SECONDS):
        pids = " ".join(map(str, left))
        trouble.append(f"still there after {_END_SECONDS:g} s; end its processes: kill -9 {pids}")
    if trouble:
        raise UnreachableError("; ".join(trouble))
