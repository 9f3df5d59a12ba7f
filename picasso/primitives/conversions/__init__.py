"""Detections as other libraries and files have them, and back."""
