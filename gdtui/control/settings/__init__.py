"""Settings as keys and forms change them: ladders, steps, undo. No widget, no process."""
