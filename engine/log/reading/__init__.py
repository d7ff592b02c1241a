"""Bytes of a log into records that hold what records may hold, in an order that they can have."""
