"""Where papers come from: one folder a format or service, each parses and adapts to the model."""
