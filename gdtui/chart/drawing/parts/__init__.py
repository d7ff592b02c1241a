"""Parts of a canvas beside its lines: bands behind them, text and marks over them."""
