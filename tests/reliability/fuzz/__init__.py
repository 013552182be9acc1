"""Fuzzing of the decode path: mutations of the contracts' examples, each repeatable by a number."""
