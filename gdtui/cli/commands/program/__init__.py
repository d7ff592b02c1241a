"""`gdtui run`: runs any program, and reads its losses from what it prints."""
