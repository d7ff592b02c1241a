"""The screens of experiments and of the sweep, which run beside the run."""
