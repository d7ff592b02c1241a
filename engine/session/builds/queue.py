"""The queue of compiled steps that workers want: each is built once, in a process of its own."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from engine.jobs.messages import Failure, Job, Result
from engine.jobs.process_job import ProcessJob
from engine.session.builds.job import BuildTask, build_step, clear_up, kill_compilers
from engine.worker.protocol import BuildAnswer, BuildWanted

StartJob = Callable[[BuildTask], Job[BuildAnswer]]


@dataclass(slots=True)
class _Wanted:
    """A compiled step that is to be built, and the variants that wait for it."""

    task: BuildTask
    variants: list[str] = field(default_factory=list)


def start_job(task: BuildTask) -> Job[BuildAnswer]:
    """Start to build a compiled step."""
    return ProcessJob(
        partial(build_step, task),
        "compile",
        at_abandoning=kill_compilers,
        at_death=clear_up,
        subject="the process that compiles",
    )


class BuildQueue:
    """The compiled steps of a session. Not thread-safe."""

    def __init__(self, start: StartJob = start_job) -> None:
        self._start = start
        self._waiting: deque[_Wanted] = deque()
        self._current: _Wanted | None = None
        self._job: Job[BuildAnswer] | None = None
        self._answers: dict[bytes, BuildAnswer] = {}
        self._ready: list[tuple[str, BuildAnswer]] = []

    def want(
        self, variant: str, note: BuildWanted, make_task: Callable[[BuildWanted], BuildTask]
    ) -> None:
        """Build what a variant's worker wants, unless that is being done or has been tried."""
        if (answer := self._answers.get(note.spec)) is not None:
            self._ready.append((variant, answer))
            return
        for wanted in [*([self._current] if self._current else []), *self._waiting]:
            if wanted.task.spec == note.spec:
                wanted.variants.append(variant)
                return
        self._waiting.append(_Wanted(make_task(note), [variant]))

    def poll(self) -> list[tuple[str, BuildAnswer]]:
        """Answers since the last call, by variant; starts the next build. Never blocks."""
        if self._job is not None and self._current is not None:
            for message in self._job.poll():
                if isinstance(message, Result | Failure):
                    self._end(self._current, message)
        if self._job is None and self._waiting:
            self._current = self._waiting.popleft()
            self._job = self._start(self._current.task)
        ready, self._ready = self._ready, []
        return ready

    def _end(self, wanted: _Wanted, end: Result[BuildAnswer] | Failure) -> None:
        if self._job is not None:
            self._job.close()
        self._job = self._current = None
        if isinstance(end, Result):
            answer = end.value
        else:
            answer = BuildAnswer(spec=wanted.task.spec, reason=end.detail)
        self._answers[wanted.task.spec] = answer
        self._ready += [(variant, answer) for variant in wanted.variants]

    def close(self) -> None:
        """Cancel the build in progress. Safe to repeat."""
        self._waiting.clear()
        if self._job is not None:
            self._job.close()
        self._job = self._current = None
