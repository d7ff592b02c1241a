"""The experiments: each module tests one claim of the lesson."""
