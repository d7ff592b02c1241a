"""The variants of a run that were removed, from its session's log."""

from pathlib import Path

from engine.log.directory import RunDirectory
from engine.log.follow import removed_variants
from engine.log.records import VariantRemoved, WorkerReplaced
from engine.log.writing.writer import LogWriter
from engine.settings import RunSettings, Variant, VariantSettings


def test_a_worker_takes_a_removed_variant_in_again(tmp_path: Path) -> None:
    variants = tuple(Variant(name=name, settings=VariantSettings()) for name in "ABC")
    run = RunDirectory.create(tmp_path / "run", RunSettings(variants=variants), "0")
    assert removed_variants(run) == frozenset()
    with LogWriter(run.session_log) as log:
        log.append(VariantRemoved(variant="A"))
        log.append(VariantRemoved(variant="C"))
        log.append(WorkerReplaced(variant="C", command=0))
    assert removed_variants(run) == {"A"}
    run.custody.release()
