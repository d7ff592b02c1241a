"""The process that trains one variant: its main, its loop, its log, its measurements."""
