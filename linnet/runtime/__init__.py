"""Run a shipped file."""
