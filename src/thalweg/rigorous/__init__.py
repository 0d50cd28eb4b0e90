"""Theorems from exact doubles, evaluated in ball arithmetic: proved, or undecided."""
