"""The content of an imported run: as records, and exported again."""

import io

from engine.log.directory import RunDirectory
from engine.log.follow import Follower
from engine.log.records import AnyRecord
from gdtui.export.csv_export import export


def exported(run: RunDirectory) -> bytes:
    output = io.BytesIO()
    list(export(run, output))
    return output.getvalue()


def records(run: RunDirectory, kind: type[AnyRecord]) -> list[AnyRecord]:
    return [record for _, record in Follower(run).read() if isinstance(record, kind)]
