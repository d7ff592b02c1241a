"""The lesson's trade-off table, measured: one arm a batch size in turn, and what to choose.

Training goes through the ordinary session, so a row is what `gdtui train` does with those settings.
Importing this loads no torch.
"""
