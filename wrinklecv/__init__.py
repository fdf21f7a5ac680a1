"""Measure facial wrinkle lines in photographs."""
