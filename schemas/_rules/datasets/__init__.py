"""Rules, and the scales behind them, that several datasets share; those of any dataset are beside this folder."""
