"""Models of the history: objective, cost and success."""
