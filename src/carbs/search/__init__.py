"""The search: which configuration to run next, given the models."""
