"""The generations in the logs of a run, and the points from which others go on."""
