"""Nothing is needed beside the student's functions."""
