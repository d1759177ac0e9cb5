"""Which chunks one frame wants: pure decisions, numpy only."""
