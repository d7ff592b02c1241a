"""Experiments that test the lesson's claims over many seeds."""
