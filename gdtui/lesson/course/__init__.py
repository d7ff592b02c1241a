"""The guided lesson: its texts as data, the deeds that it waits for, and the figures it names."""
