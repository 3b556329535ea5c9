"""Hand-ins that share code: found and shown side by side. It informs a person, and never marks."""
