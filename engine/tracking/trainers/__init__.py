"""Trainings by a Trainer of another library, which takes the steps itself and calls hooks.

The hooks know their library by its documented methods alone: no module in here imports it.

plan           the shape of a training, as far as its Trainer knows it, and what keys can change
record         the record of a training, which no fault in here can end
ending         the ends of that record, and the guard around it
ranked         the meetings of the processes that train together
levers         lr and accumulation, as keys change them
losses         means over the terms of a micro-batch, and norms of gradients
huggingface    the hooks for the Trainer of Hugging Face transformers
lightning      the hooks for the Trainer of Lightning
"""
