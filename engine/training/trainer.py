"""One generation of one variant: its data, model, optimiser and position, advanced batch by batch.

The device synchronises once per call of `advance`, not once per batch: losses stay on the device
until it returns. Touches no files and no processes.
"""

import time
from collections.abc import Iterator
from functools import partial
from itertools import islice

import numpy as np
import torch

from engine.log.records import Chunk
from engine.problem import Problem
from engine.settings import DataOn, Resolved, VariantSettings
from engine.training.data.opening import open_sets
from engine.training.devices.errors import can_retry
from engine.training.devices.memory import peak_memory, release_memory
from engine.training.devices.process import seed_generator
from engine.training.evaluate import TrainedModel
from engine.training.execution.block import UpdateBlock, shape_of_updates, without_remainder
from engine.training.execution.calls import EndBlock, call_block
from engine.training.execution.done import TrainedBatches
from engine.training.lazy_modules import make_weights
from engine.training.model import Objective
from engine.training.out_of_memory import retreat, until_out_of_memory
from engine.training.recipe.recipe import Recipe
from engine.training.schedule import (
    NO_LIMIT,
    cut,
    epoch_end,
    epoch_order,
    epoch_seed,
    spans,
    stage_end,
)
from engine.training.state.place import Placed
from engine.training.state.position import Position
from engine.training.step import Trained, train


class Trainer(Placed, TrainedModel):
    """One generation of one variant, starting from its initial weights.

    The seed fixes the initial weights, each epoch's order and the draws of stochastic layers in it.
    Raises SettingsError for an optimiser that torch does not have, ProblemError for data that
    cannot be used.
    """

    def __init__(
        self,
        problem: Problem,
        settings: VariantSettings,
        seed: int,
        device: torch.device,
        *,
        generation: int = 1,
        micro_batch: int | None = None,
        data_on: DataOn = DataOn.AUTO,
        loader_workers: int = 0,
        sharing: int = 1,
        epochs: int = 1,
    ) -> None:
        """`micro_batch`: samples per forward pass. `sharing`: variants here. `epochs`: planned."""
        super().__init__()
        self.problem = problem
        self.device = device
        self.generation = generation
        self.micro_batch = micro_batch or NO_LIMIT
        self._seed = seed
        self._training: Iterator[Trained] | None = None
        """The rest of this stage, as the eager step trains it; None until it is needed."""
        self.block: UpdateBlock | None = None
        """The compiled step in use; None if every batch is trained by the eager step."""
        self.end_block: EndBlock | None = None
        """The compiled step of the short group that ends an epoch, if there is one."""
        self._worked: VariantSettings | None = None
        """The settings of the last update that fitted into memory."""
        options = {"data_on": data_on, "loader_workers": loader_workers, "sharing": sharing}
        self.source, self.validation = open_sets(problem, device, seed=seed, **options)
        self.n = self.source.n
        torch.manual_seed(seed)
        self.objective = Objective(problem, device)
        make_weights(self.objective, self.source)
        self.model = self.objective.model
        self.epochs, self.settings = epochs, settings
        self.resolved, self._grows_at = self._resolve(settings)
        self.recipe = Recipe(self.objective, settings, self.resolved, device, self.n, epochs)

    # --- Training -------------------------------------------------------------------------------

    def go_to(self, place: Position) -> None:
        """Take the place that a trainer with the same settings had reached."""
        self.epoch, self._position, self._in_update = place.epoch, place.in_epoch, 0
        self.batches, self.updates, self.samples = place.batches, place.updates, place.samples
        self.seconds, self._end, self._worked = place.seconds, place.in_epoch, self.settings
        if place.has_epoch_ended:
            return
        self.source.begin(None, self.epoch)
        if place.is_ordered:
            self._order()
        self._schedule()

    def advance(self, max_batches: int) -> Chunk:
        """Train up to `max_batches` ≥ 1 batches, within the epoch; return their losses.

        The compiled step trains as many whole calls as there is room for, the eager step the rest;
        `without_remainder` says for how many batches that is no rest amid the epoch. The losses end
        with the first that is not finite. When memory runs out, a new group begins at the batch
        that failed; the batches done before it are returned, or the error is raised if there are
        none.
        """
        start = time.perf_counter()
        if self.at_epoch_end:
            self._begin_epoch()
        done = self._train_blocks(max_batches)
        # After a call for which memory ran out, the chunk must not go on with eager batches.
        most = 0 if done and self.block is None else max_batches - len(done)
        todo = self._one_by_one() if self._position < self._stop else ()
        done.singles, failure = until_out_of_memory(islice(todo, most))
        if done.singles:
            last = done.singles[-1][0]
            self._position = last.stop
            self._in_update = 0 if last.closes_group else last.in_update + 1
        if failure is not None:
            self._abandon_group()
            if not done:
                raise failure
        if not self.in_group:
            self._worked = self.settings
        chunk = self._collect(done, start)
        if self._position >= self._stop and not self.at_epoch_end:
            self._schedule()
        return chunk

    def _train_blocks(self, most: int) -> TrainedBatches:
        """Train the whole calls of the compiled step, which is given up once memory runs out."""
        place = self._position, self._stop, self.resolved
        if self.block is None or self.in_group:
            return TrainedBatches(self._position, self.resolved)
        lrs_of = partial(self.recipe.lrs, before=(self.epoch - 1) * self.n)
        done, failure = call_block(self.block, *place, most, self.source, lrs_of, self.end_block)
        if failure is not None:
            self.use(None)
            release_memory(self.device)
        if done:
            self._position += done.samples
            self._training = None
        return done

    def without_remainder(self, most: int) -> int:
        """The most batches, up to `most`, of which the eager step trains none amid the epoch."""
        if self.block is None or self.in_group:
            return most
        start, stop = (0, self.n) if self.at_epoch_end else (self._position, self._stop)
        return without_remainder(self.block, start, stop, self.resolved, most)

    def use(self, block: UpdateBlock | None, end: EndBlock | None = None) -> None:
        """Train with this compiled step from here on, between groups only; or without any.

        It and `end` must suit the settings in force; a change that they do not suit ends their use.
        """
        if block is not None and self.in_group:
            raise RuntimeError("a compiled step begins between groups")
        self.block, self.end_block = block, end

    def _begin_epoch(self) -> None:
        self.epoch += 1
        self._position, self._end = 0, self.n  # where the data's order fits no memory, too
        # Stochastic layers draw the same numbers in this epoch, whatever happens between batches.
        seed_generator(self.device, epoch_seed(self._seed, self.epoch))
        self.source.begin(None, self.epoch)
        self._schedule()

    def _order(self) -> None:
        self.source.begin(epoch_order(self._seed, self.epoch, self.n), self.epoch)
        self._ordered_epoch = self.epoch

    def _schedule(self) -> None:
        """Schedule the rest of the epoch, or of this stage of a batch warm-up."""
        if self.settings.batch_warmup:
            size = self.resolved.batch_size
            self.resolved, self._grows_at = self._resolve(self.settings)
            self.recipe.change(self.settings, self.resolved, self.updates)
            if size != self.resolved.batch_size:
                self.use(None)
        if self.resolved.batch_size < self.n and self._ordered_epoch != self.epoch:
            # A single batch of all samples needs no order.
            self._order()
        self._end = epoch_end(
            self._position, self.n, self.resolved, drop_last=self.settings.drop_last
        )
        before = (self.epoch - 1) * self.n
        self._stop = stage_end(self._position, self._end, self.resolved, self._grows_at - before)
        self._training = None

    def _one_by_one(self) -> Iterator[Trained]:
        """The rest of this stage; iterating over it trains the batches by the eager step."""
        if self._training is None:
            adds = self.objective.average.is_sum
            place = self._position, self._stop
            schedule = partial(cut, *place, self.resolved, self.micro_batch, adds=adds)
            self.source.expect(partial(spans, schedule))
            batches = self.recipe.followed(schedule(), (self.epoch - 1) * self.n)
            self._training = train(batches, self.source, self.objective, *self.recipe.parts)
        return self._training

    def _abandon_group(self) -> None:
        """Drop the gradient, perhaps of part of a batch, and begin a new group at that batch."""
        self.objective.zero_grad()
        release_memory(self.device)
        self._in_update = 0
        self._schedule()

    def _collect(self, done: TrainedBatches, start: float) -> Chunk:
        """Fetch the losses of these batches, trained since `start`, and count them."""
        losses = done.losses()
        is_finite = np.isfinite(losses)
        self.last_loss_is_finite = bool(is_finite.all())
        # Omit the batches after the first that is not finite: their number is arbitrary.
        count = len(losses) if self.last_loss_is_finite else int(is_finite.argmin()) + 1
        first, last = done[0], done[count - 1]
        lr, clipped, skipped = self.recipe.take(done, count)
        chunk = Chunk(
            generation=self.generation,
            epoch=self.epoch,
            batch=self.batches + 1,
            update=self.updates + 1,
            in_update=first.in_update,
            samples=self.samples,
            seconds=self.seconds,
            duration=time.perf_counter() - start,
            batch_size=self.resolved.batch_size,
            last_batch_size=last.size,
            accumulation_steps=self.resolved.accumulation_steps,
            compiled=done.updates_per_call,
            compiled_end=done.end > 0,
            lr=lr,
            clipped=clipped,
            skipped=skipped,
            peak_memory=peak_memory(self.device),
            losses=losses[:count].astype("<f4", copy=False).tobytes(),
            weightless=done.weightless(count),
        )
        self.batches += count
        self.updates = chunk.last_update if last.closes_group else chunk.last_update - 1
        self.samples = chunk.end_samples
        self.seconds += chunk.duration
        return chunk

    # --- Settings -------------------------------------------------------------------------------

    def change(self, settings: VariantSettings) -> str:
        """Train with other settings from the next batch on; call it only between groups.

        The epoch goes on with the next sample of the same order. Returns a note for the user, or
        "". For invalid settings, raises SettingsError and changes nothing.
        """
        if self.in_group:
            raise RuntimeError("settings change between groups only")
        resolved, grows_at = self._resolve(settings)
        renewed = self.recipe.change(settings, resolved, self.updates)
        at_epoch_end, shape = self.at_epoch_end, shape_of_updates(self.settings, self.resolved)
        if renewed or shape != shape_of_updates(settings, resolved):
            self.use(None)
        self.settings, self.resolved, self._grows_at = settings, resolved, grows_at
        if not at_epoch_end:
            self._schedule()
        return "optimiser state cleared" if renewed and self.updates else ""

    def repeat_change(self, settings: VariantSettings, micro_batch: int | None) -> None:
        """Change as another trainer did here, perhaps since memory ran out amid a group."""
        if self.in_group:
            self._abandon_group()
        self.use(None)
        self.micro_batch = micro_batch or NO_LIMIT
        self.change(settings)

    def retreat(self, error: Exception) -> str:
        """Reduce memory use after memory ran out in `advance`; return a note for the user.

        Raises `error` again if it has another cause, or if no smaller batch is left.
        """
        at_once = min(self.micro_batch, self.resolved.batch_size)
        back = retreat(self.settings, self.n, at_once=at_once, worked=self._worked)
        if back is None or not can_retry(error):
            raise error
        self.repeat_change(back.settings, back.micro_batch or self.most_at_once)
        return back.note

    def _resolve(self, settings: VariantSettings) -> tuple[Resolved, float]:
        """The settings as they are here, and the position in the run at which the batch grows."""
        position = max(self.epoch - 1, 0) * self.n + self._position
        return settings.resolve_at(position, self.n, self.epochs * self.n)

    def plan(self, epochs: int) -> None:
        """Spread schedules over so many epochs from the next update on."""
        self.epochs = self.recipe.epochs = epochs
