"""The parts of a tracked loop that touch torch: its batches, updates and losses."""
