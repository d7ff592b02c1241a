"""Compiled steps that a session builds for its workers, one at a time, while they train."""
