"""The progress of a job: its share, the time since it began, and the time that it has left."""

from replay_logs import Clock

from gdtui.view.text.progress.job import JobProgress


def test_a_job_is_followed_from_its_start() -> None:
    clock = Clock()
    job = JobProgress(clock)
    found = job.tell(0.0, "starting")
    assert (found.share, found.elapsed, found.left) == (0, 0, None)
    for tenth in (1, 2, 3):
        clock.now += 5
        found = job.tell(tenth / 10, f"seed {tenth}")
    assert (found.elapsed, found.activities) == (15, ("seed 3",))
    assert found.left is not None
    assert round(found.left) == 35
