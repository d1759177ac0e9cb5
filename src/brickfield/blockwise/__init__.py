"""Bounded-memory work over blocks: grids, budgets, reductions, jobs, executors."""
