"""Sweeps: their configuration, their agents, and the draws that agents are given."""
