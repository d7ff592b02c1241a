"""Strategies for logs with valid checksums: records that may follow one another, then spoilt."""

import struct
from dataclasses import dataclass, field
from typing import Any

from forged import encoded, framed, nested
from hostile_values import (
    anything,
    counts,
    edge_floats,
    edge_integers,
    losses,
    moments,
    names,
    ordinals,
    rates,
    seconds,
    texts,
)
from hypothesis import strategies as st

from engine.log.file import MAGIC

Document = dict[str, Any]
STATES = ("starting", "running", "paused", "finished", "diverged", "failed", "died", "stopped")
TOO_LARGE = (2**32 - 1).to_bytes(4, "little")


@st.composite
def variant_settings(draw: st.DrawFn) -> Document:
    return {
        "batch_size": draw(st.one_of(st.just("full"), ordinals)),
        "lr": draw(rates.filter(lambda lr: 0 < lr < float("inf"))),
        "base_batch": draw(ordinals),
        "lr_scaling": draw(st.sampled_from(["none", "linear", "sqrt"])),
        "accumulation_steps": draw(ordinals),
        "momentum": draw(st.sampled_from([0.0, 0.9, 0.9999999])),
        "drop_last": draw(st.sampled_from([False, False, True])),
        "optimizer": draw(
            st.one_of(
                st.sampled_from(["sgd", "adam", "adamw(betas=(0.9, 0.95), weight_decay=0.1)"]),
                names.filter(lambda name: "(" not in name),
            )
        ),
        "schedule": draw(st.sampled_from(["constant", "cosine", "linear", "wsd"])),
        "warmup": draw(st.sampled_from([0.0, 0.1, 1e12])),
        "clip": draw(st.sampled_from([None, 1.0, 1e300])),
        "batch_warmup": draw(st.sampled_from([0.0, 0.5, 1e9])),
        "precision": draw(st.sampled_from(["fp32", "bf16", "fp16"])),
    }


@dataclass
class Place:
    """How far the records of a log have come."""

    generation: int = 0
    batch: int = 0
    update: int = 0
    epoch: int = 0
    samples: int = 0
    seconds: float = 0.0
    records: list[Document] = field(default_factory=list)

    def add(self, kind: str, **fields: Any) -> None:
        self.records.append({"type": kind, **fields})


@st.composite
def sound_log(draw: st.DrawFn) -> list[Document]:
    """Records in an order that they may have, with numbers from all of their ranges."""
    place = Place()
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2]))):
        _begin(draw, place)
        for kind in draw(st.lists(st.sampled_from([*_PARTS]), min_size=2, max_size=10)):
            _PARTS[kind](draw, place)
    if draw(st.booleans()):
        place.add("End", wall_time=draw(moments))
    return place.records


def _begin(draw: st.DrawFn, place: Place) -> None:
    origin = draw(_origins(place)) if place.batch else None
    place.generation += draw(st.sampled_from([1, 1, 1, 10**12]))
    began = origin or {}
    place.batch, place.epoch = began.get("batches", 0), began.get("epoch", 0)
    place.update, place.samples = began.get("updates", 0), began.get("samples", 0)
    place.seconds = began.get("seconds", 0.0)
    place.add(
        "Started", generation=place.generation, settings=draw(variant_settings()),
        n=draw(ordinals), model=draw(texts), parameters=draw(counts), device=draw(texts),
        device_note=draw(texts),
        assumed=draw(st.lists(st.one_of(st.sampled_from(["lr", "seconds"]), texts), max_size=3)),
        threads=draw(counts), epochs=draw(ordinals),
        pace=draw(st.one_of(st.none(), st.sampled_from([1e-300, 1.0, 1e300]))),
        wall_time=draw(moments), command=draw(counts), origin=origin,
    )  # fmt: skip


@st.composite
def _origins(draw: st.DrawFn, place: Place) -> Document | None:
    """A point of the generation so far, or of another variant, which nothing here contradicts."""
    variant = draw(st.sampled_from(["", "", "another"]))
    origin = {
        "variant": variant, "generation": place.generation,
        "batches": draw(st.integers(1, place.batch)), "epoch": max(place.epoch, 1),
        "updates": max(place.update, 1), "samples": max(place.samples, 1),
        "seconds": place.seconds, "epoch_batches": draw(counts),
        "epoch_loss": draw(edge_floats), "loss_at_start": draw(st.one_of(st.none(), edge_floats)),
    }  # fmt: skip
    return draw(st.sampled_from([None, origin]))


def _chunk(draw: st.DrawFn, place: Place) -> None:
    batches, epochs = draw(st.integers(1, 40)), draw(st.sampled_from([1, 1, 1, 2, 3]))
    size, steps = draw(ordinals), draw(ordinals)
    last = draw(st.integers(1, size))
    place.epoch += draw(st.sampled_from([0, 1, 1, 10**9])) if place.epoch else 1
    place.update = max(place.update, 1) + draw(st.sampled_from([0, 1, 10**9]))
    place.seconds = min(place.seconds + draw(seconds), 1e12)
    within = 0 if epochs > 1 else draw(st.integers(0, steps - 1))
    updates = epochs * -(-batches // steps) if epochs > 1 else 1 + (within + batches - 1) // steps
    varied = draw(st.lists(rates, min_size=updates, max_size=updates)) if updates < 20 else None
    lr = draw(rates) if not varied else struct.pack(f"<{updates}d", *varied)
    place.add(
        "Chunk", generation=place.generation, epoch=place.epoch, epochs=epochs,
        batch=place.batch + 1, update=place.update, in_update=within,
        samples=place.samples + draw(st.sampled_from([0, 0, 7])), seconds=place.seconds,
        duration=draw(seconds), batch_size=size, last_batch_size=last, accumulation_steps=steps,
        compiled=draw(st.sampled_from([0, 0, 1, 16, 4096])),
        lr=lr, clipped=draw(st.integers(0, updates)), skipped=draw(st.integers(0, updates)),
        behind=draw(st.booleans()), peak_memory=draw(counts),
        losses=draw(losses(batches * epochs)), wall_time=draw(moments),
    )  # fmt: skip
    place.batch += batches * epochs
    each = -(-batches // steps)
    place.update += (epochs - 1) * each + (within + batches - 1) // steps
    place.samples = place.records[-1]["samples"] + epochs * ((batches - 1) * size + last)
    place.epoch += epochs - 1


def _position(place: Place) -> Document:
    return {
        "generation": place.generation, "epoch": place.epoch, "batches": place.batch,
        "updates": place.update, "samples": place.samples, "seconds": place.seconds,
    }  # fmt: skip


def _evaluation(draw: st.DrawFn, place: Place) -> None:
    one = st.one_of(st.none(), edge_floats)
    place.add(
        "Evaluation", **_position(place), full_loss=draw(one), validation_loss=draw(one),
        metrics=draw(st.dictionaries(texts, edge_floats, max_size=2)), wall_time=draw(moments),
    )  # fmt: skip


def _validated(draw: st.DrawFn, place: Place) -> None:
    place.add("Validated", **_position(place), loss=draw(edge_floats), wall_time=draw(moments))


def _changed(draw: st.DrawFn, place: Place) -> None:
    where = _position(place)
    del where["batches"], where["updates"]
    place.add(
        "Changed", **where | {"epoch": max(place.epoch, 1)}, settings=draw(variant_settings()),
        batch=place.batch + 1, update=max(place.update, 1), note=draw(texts),
        command=draw(counts), wall_time=draw(moments),
    )  # fmt: skip


def _execution(draw: st.DrawFn, place: Place) -> None:
    place.add(
        "Execution", generation=place.generation, batch=place.batch + 1,
        update=max(place.update, 1), seconds=draw(seconds),
        compiled=draw(st.sampled_from([0, 0, 1, 16, 4096])), build=draw(texts)[:200],
        threads=draw(counts), eager_speed=draw(rates), reason=draw(texts),
        wall_time=draw(moments),
    )  # fmt: skip


def _state(draw: st.DrawFn, place: Place) -> None:
    place.add(
        "StateChanged", generation=place.generation, state=draw(st.sampled_from(STATES)),
        detail=draw(texts), traceback=draw(texts), is_wrong_call=draw(st.booleans()),
        wall_time=draw(moments), command=draw(counts),
        exit_status=draw(st.one_of(st.none(), st.integers(-255, 255))),
    )  # fmt: skip


def _scalars(draw: st.DrawFn, place: Place) -> None:
    if place.batch:
        count = min(place.batch, 2)
        values = st.lists(edge_floats, min_size=count, max_size=count)
        named = draw(
            st.dictionaries(st.sampled_from(["norm", "epoch", "=1+1"]), values, min_size=1)
        )
        place.add(
            "Scalars", generation=max(place.generation, 1),
            batches=struct.pack(f"<{count}Q", *range(place.batch - count + 1, place.batch + 1)),
            values={name: struct.pack(f"<{count}d", *each) for name, each in named.items()},
            wall_time=draw(moments),
        )  # fmt: skip


def _measured(draw: st.DrawFn, place: Place) -> None:
    where = _position(place)
    del where["batches"]
    estimate = st.one_of(st.floats(-100, 100), edge_floats.filter(lambda x: not abs(x) > 1e150))
    noise = {name: draw(estimate) for name in _NOISE} | {
        "samples": draw(counts), "batches": draw(counts),
        "covariance": draw(st.one_of(st.none(), st.tuples(estimate, estimate, estimate))),
    }  # fmt: skip
    sharpness = {
        "value": draw(estimate), "error": draw(estimate), "products": draw(counts),
        "samples": draw(counts),
    }  # fmt: skip
    place.add(
        "Measured", **where, effective_batch=draw(ordinals), lr=draw(rates),
        edge=draw(st.one_of(st.none(), edge_floats)), cost=draw(seconds),
        noise=draw(st.sampled_from([None, noise])),
        sharpness=draw(st.sampled_from([None, sharpness])), wall_time=draw(moments),
    )  # fmt: skip


def _other(draw: st.DrawFn, place: Place) -> None:
    place.records.append(
        draw(
            st.one_of(
                st.fixed_dictionaries(
                    {
                        "type": st.just("Planned"),
                        "epochs": ordinals,
                        "pace": st.none(),
                        "command": counts,
                    }
                ),
                st.fixed_dictionaries(
                    {"type": st.just("MeasuringSet"), "is_on": st.booleans(), "detail": texts}
                ),
                st.fixed_dictionaries(
                    {"type": st.just("Refused"), "detail": texts, "command": counts}
                ),
                st.fixed_dictionaries(
                    {
                        "type": st.just("Remarked"),
                        "text": texts,
                        "question": counts,
                        "choices": st.lists(texts.map(lambda text: (text or "x")[:40]), max_size=3),
                        "answer": texts.map(lambda text: text[:40]),
                        "batches": st.none() | counts,
                    }
                ),
                st.fixed_dictionaries({"type": texts.map("Later{}".format), "x": anything}),
            )
        )
    )


_NOISE = ("value", "low", "high", "trace", "gradient_squared")


def _resumed(draw: st.DrawFn, place: Place) -> None:
    place.add(
        "Resumed", generation=max(place.generation, 1), batches=place.batch,
        checkpoint=draw(counts), differing=draw(counts),
        refused=draw(st.lists(texts, max_size=2)), wall_time=draw(moments),
    )  # fmt: skip


_PARTS = {
    "chunk": _chunk,
    "scalars": _scalars,
    "another chunk": _chunk,
    "a third chunk": _chunk,
    "evaluation": _evaluation,
    "validated": _validated,
    "changed": _changed,
    "execution": _execution,
    "state": _state,
    "measured": _measured,
    "resumed": _resumed,
    "other": _other,
}


@st.composite
def session_log(draw: st.DrawFn, variants: list[str]) -> list[Document]:
    """The session's records, about these variants and sometimes others."""
    records: list[Document] = []
    for _ in range(draw(st.integers(0, 4))):
        variant = draw(st.sampled_from(variants))
        about = {"variant": variant, "wall_time": draw(moments)}
        command = {"type": "Change", "id": draw(counts), "settings": draw(variant_settings())}
        pace = {"type": "SetPace", "id": draw(counts), "pace": draw(st.sampled_from([None, 1e300]))}
        records.append(
            draw(
                st.sampled_from(
                    [
                        {"type": "CommandSent", **about, "command": command},
                        {"type": "CommandSent", **about, "command": {**command, "type": "Restart"}},
                        {"type": "CommandSent", **about, "command": pace},
                        {"type": "WorkerDied", **about, "detail": draw(texts)},
                        {"type": "VariantRemoved", **about},
                        {
                            "type": "VariantAdded",
                            **about,
                            "variant": draw(st.sampled_from([variant, draw(texts)])),
                            "settings": draw(variant_settings()),
                            "origin": {"variant": variant, "batches": draw(counts)},
                        },
                        {
                            "type": "WorkerReplaced",
                            **about,
                            "command": draw(counts),
                            "worker": draw(counts),
                        },
                    ]
                )
            )
        )
    if draw(st.booleans()):
        records.append({"type": "End"})
    return records


@st.composite
def log_bytes(draw: st.DrawFn, records: list[Document], *, is_spoilt: bool) -> bytes:
    """The records as a log with right checksums, and with something wrong in it if `is_spoilt`."""
    contents: list[Any] = [dict(record) for record in records]
    for _ in range(draw(st.integers(1, 2)) if is_spoilt else 0):
        _spoil(draw, contents)
    data = MAGIC + b"".join(framed(encoded(each)) for each in contents)
    ends = ["whole"] * 8 + ["cut", "flipped", "too large", "tail"]
    match draw(st.sampled_from(ends)) if is_spoilt else "whole":
        case "cut":
            return data[: draw(st.integers(0, len(data)))]
        case "flipped":
            at, bit = draw(st.integers(0, len(data) - 1)), draw(st.integers(0, 7))
            return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        case "too large":
            from zlib import crc32

            return data + TOO_LARGE + crc32(TOO_LARGE).to_bytes(4, "little") + bytes(100)
        case "tail":
            return data + draw(st.binary(max_size=20))
    return data


def _spoil(draw: st.DrawFn, contents: list[Any]) -> None:
    """Put something wrong into the records."""
    kind = draw(st.sampled_from(["field", "field", "field", "swap", "drop", "twice", "foreign"]))
    at = draw(st.integers(0, max(len(contents) - 1, 0)))
    if kind == "foreign" or not contents:
        payload = st.one_of(anything, st.binary(max_size=30), st.just(nested(200_000)))
        contents.insert(at, draw(payload))
    elif kind == "field" and isinstance(contents[at], dict) and contents[at]:
        name = draw(st.sampled_from(sorted(map(str, contents[at]))))
        contents[at] = {**contents[at], name: draw(_wrong(contents[at].get(name)))}
    elif kind == "swap":
        other = draw(st.integers(0, len(contents) - 1))
        contents[at], contents[other] = contents[other], contents[at]
    elif kind == "drop":
        del contents[at]
    elif kind == "twice":
        contents.insert(at, contents[at])


def _wrong(value: Any) -> st.SearchStrategy[Any]:
    """Values to put in the place of this one: mostly of its own type."""
    match value:
        case bool():
            return anything
        case int():
            alike: st.SearchStrategy[Any] = edge_integers
        case float():
            alike = edge_floats
        case str():
            alike = texts
        case bytes():
            alike = st.one_of(st.binary(max_size=9), st.integers(0, 9).map(lambda k: value[:-k]))
        case dict() if value:
            name = st.sampled_from(sorted(value))
            alike = name.flatmap(
                lambda name: _wrong(value[name]).map(lambda wrong: {**value, name: wrong})
            )
        case _:
            return anything
    return st.one_of(alike, alike, alike, anything)
