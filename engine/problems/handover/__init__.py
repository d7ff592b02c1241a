"""The hand-over from a run's loader to its workers.

All of it lies in a private directory made by the process that started the run; nothing is read from
the run directory. Tensors are files that all workers map. gdtui's own problems are described as
plain data. A user's problem is pickled; only workers that run the user's file anyway unpickle it.
"""
