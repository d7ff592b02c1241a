"""The sessions of all hosts of a run, as a screen commands them: each command goes to its host."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from engine.log.commands import AnyCommand
from engine.log.notices import Notice, NoticeKind
from engine.log.records import CommandSent, Point
from engine.session.host.client import HostLink
from engine.session.host.remote_session import RemoteSession
from engine.session.host.several.links import HostLinks, names_of
from engine.settings import VariantSettings

_LEFT: Final = "no script of this run is left: keys have no effect now; q leaves"


class JointSession:
    """Commands to scripts that share a run; its methods are those of `RemoteSession`.

    A command for some variants goes to their scripts, one for the whole run to all of them. Each
    script refuses for itself. Scripts that join the run later are commanded as well.
    """

    is_shared: Final = True

    def __init__(self, links: HostLinks, notices: Iterable[Notice] = ()) -> None:
        """`notices`: the first ones."""
        self._links = links
        self._sessions: list[RemoteSession] = []
        self._notices: list[Notice] = [*notices]
        self._is_end_told = False
        for link in links.links:
            self._take_in(link)
        for note in links.elsewhere:
            names = ", ".join(note.variants)
            self._notify(f"{names}: trained on {note.host}, where its keys must be pressed")

    def _take_in(self, link: HostLink) -> None:
        self._sessions.append(RemoteSession(link, about=names_of(link)))

    def _notify(self, text: str) -> None:
        self._notices.append(Notice(kind=NoticeKind.SERVER_DIED, variant=None, text=text))

    @property
    def _living(self) -> list[RemoteSession]:
        return [session for session in self._sessions if not session.is_lost]

    def _split(self, names: Iterable[str]) -> Iterator[tuple[RemoteSession, list[str]]]:
        """The living sessions of these variants; notes the variants that have none."""
        left = [*names]
        for session in self._living:
            if mine := [name for name in left if name in session.names]:
                left = [name for name in left if name not in mine]
                yield session, mine
        for name in left:
            self._notify(f"{name}: its script has ended; run it again to train more")

    # --- Variants -------------------------------------------------------------------------------

    def change(self, settings: Mapping[str, VariantSettings]) -> None:
        """Train the named variants with these settings from their next group of batches on."""
        for session, names in self._split(settings):
            session.change({name: settings[name] for name in names})

    def restart(self, settings: Mapping[str, VariantSettings]) -> None:
        """Begin the next generation of the named variants."""
        for session, names in self._split(settings):
            session.restart({name: settings[name] for name in names})

    def rewind(self, settings: Mapping[str, VariantSettings], points: Mapping[str, Point]) -> None:
        """Take the named variants back to points of their own, to go on with these settings."""
        for session, names in self._split(settings):
            session.rewind({name: settings[name] for name in names}, points)

    def fork(self, settings: VariantSettings, point: Point, name: str = "") -> str:
        """Add a variant that begins at a point of another one; its name, "" if not known yet."""
        for session, _ in self._split([point.variant]):
            return session.fork(settings, point, name)
        return ""

    def add(self, settings: VariantSettings, name: str = "") -> str:
        """Add a variant that begins at the initial weights; its name, "" if not known yet."""
        for session in self._living:
            return session.add(settings, name)
        return ""

    def remove(self, names: Iterable[str]) -> None:
        """Stop the named variants and drop them from the comparison."""
        for session, mine in self._split(names):
            session.remove(mine)

    def step_once(self, names: Iterable[str]) -> None:
        """Train the named variants for one update, then pause them."""
        for session, mine in self._split(names):
            session.step_once(mine)

    def measure(self, names: Iterable[str]) -> None:
        """Measure the noise scale and sharpness of the named variants now."""
        for session, mine in self._split(names):
            session.measure(mine)

    # --- The whole run --------------------------------------------------------------------------

    def _all(self, send: Callable[[RemoteSession], None]) -> None:
        for session in self._living:
            send(session)

    def pause(self) -> None:
        """Stop all variants after the current batch."""
        self._all(RemoteSession.pause)

    def hold(self) -> None:
        """Pause all variants until `release`, or until this client has disconnected."""
        self._all(RemoteSession.hold)

    def release(self) -> None:
        """End the hold; training goes on once no other client holds it."""
        self._all(RemoteSession.release)

    def resume(self) -> None:
        """Resume all variants."""
        self._all(RemoteSession.resume)

    def set_pace(self, pace: float | None) -> None:
        """Set the pace of all variants in epochs per second; None means as fast as possible."""
        self._all(lambda session: session.set_pace(pace))

    def extend(self, epochs: int) -> None:
        """Train all variants up to this many epochs in total."""
        self._all(lambda session: session.extend(epochs))

    def set_measuring(self, is_on: bool) -> None:
        """Set whether all variants measure periodically, or only on request."""
        self._all(lambda session: session.set_measuring(is_on))

    # --- Answers --------------------------------------------------------------------------------

    def take_sent(self) -> Sequence[CommandSent]:
        """The commands of this client since the last call that the scripts have accepted."""
        return [sent for session in self._sessions for sent in session.take_sent()]

    @property
    def asked(self) -> Mapping[str, Sequence[AnyCommand]]:
        """The commands of this client that the scripts have not answered yet, by variant."""
        return {name: of for session in self._sessions for name, of in session.asked.items()}

    def poll(self) -> list[Notice]:
        """Notices of the scripts since the last call; also meets scripts that have joined."""
        for link in self._links.look():
            self._take_in(link)
        notices = [notice for session in self._sessions for notice in session.poll()]
        if not self._living and not self._is_end_told:
            self._is_end_told = True
            self._notify(_LEFT)
        elif self._living:
            self._is_end_told = False
        notices, self._notices = notices + self._notices, []
        return notices
