"""Sweeps: created, read, and turned into the history of an optimizer."""
