"""Experiments that test the lesson's claims with many seeds."""
