"""The only access to a run's files: opens them without following links, creates, removes them."""
