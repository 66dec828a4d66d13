"""Services that train: the calls of this room, and an adapter for each protocol behind them."""
