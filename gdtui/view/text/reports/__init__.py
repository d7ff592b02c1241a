"""Reports in plain text: tables of runs, experiments and sweeps, for people and programs."""
