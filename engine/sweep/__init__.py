"""Measures the lesson's trade-off table, one arm per batch size, and recommends settings.

Training uses the ordinary session, so a row shows what `gdtui train` does with the same settings.
Importing this loads no torch.
"""
