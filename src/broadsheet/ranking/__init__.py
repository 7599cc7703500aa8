"""Orders of papers as pure functions, each able to show its arithmetic."""
