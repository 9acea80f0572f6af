"""Outputs in, scores out; a score never travels without its signature, n and interval."""
