"""The batch size measured best, and the one that theory predicts for a tuned lr."""
