"""The queue of compiled steps: each is built once, one at a time, for all who want it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from engine.jobs.messages import Failure, Progress, Result
from engine.session.builds.job import BuildTask
from engine.session.builds.queue import BuildQueue
from engine.settings import RunSettings, Variant, VariantSettings
from engine.worker.protocol import BuildAnswer, BuildWanted

RUN = RunSettings(variants=(Variant(name="SGD", settings=VariantSettings()),))


class ScriptedJob:
    """A job that ends when the test says so."""

    def __init__(self, task: BuildTask) -> None:
        self.task = task
        self.messages: list[Any] = [Progress(0.0, "tracing")]
        self.is_closed = False

    def poll(self) -> Sequence[Any]:
        messages, self.messages = self.messages, []
        return messages

    def close(self) -> None:
        self.is_closed = True


class Workshop:
    """A queue, and the jobs that it has started."""

    def __init__(self) -> None:
        self.jobs: list[ScriptedJob] = []
        self.queue = BuildQueue(self._start)

    def _start(self, task: BuildTask) -> ScriptedJob:
        self.jobs.append(ScriptedJob(task))
        return self.jobs[-1]

    def want(self, variant: str, spec: bytes) -> None:
        make = partial(_task, spec)
        self.queue.want(variant, BuildWanted(spec=spec, least_operations=7), make)


def _task(spec: bytes, note: BuildWanted) -> BuildTask:
    assert note.spec == spec
    return BuildTask(spec=spec, run=RUN, device="cpu", threads=1, least_operations=7)


def test_one_build_serves_all_who_want_it_then_and_later() -> None:
    shop = Workshop()
    shop.want("a", b"1")
    shop.want("b", b"1")
    assert shop.queue.poll() == []
    shop.want("c", b"1")
    assert [job.task.spec for job in shop.jobs] == [b"1"]
    answer = BuildAnswer(spec=b"1", path="/there", key="k")
    shop.jobs[0].messages.append(Result(answer))
    assert shop.queue.poll() == [("a", answer), ("b", answer), ("c", answer)]
    shop.want("a", b"1")  # another worker of the same variant
    assert shop.queue.poll() == [("a", answer)]
    assert len(shop.jobs) == 1


def test_they_are_built_one_at_a_time() -> None:
    shop = Workshop()
    shop.want("a", b"1")
    shop.want("b", b"2")
    shop.queue.poll()
    assert len(shop.jobs) == 1
    shop.jobs[0].messages.append(Failure(detail="the process that compiles has died"))
    [(variant, answer)] = shop.queue.poll()
    assert (variant, answer.path) == ("a", "")
    assert answer.reason == "the process that compiles has died"
    assert shop.jobs[0].is_closed
    assert [job.task.spec for job in shop.jobs] == [b"1", b"2"]


def test_closing_cancels_the_build() -> None:
    shop = Workshop()
    shop.want("a", b"1")
    shop.want("b", b"2")
    shop.queue.poll()
    shop.queue.close()
    assert shop.jobs[0].is_closed
    assert shop.queue.poll() == []
    assert len(shop.jobs) == 1
