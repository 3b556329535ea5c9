"""Marking in the browser what the grader leaves to a person: a local web app over the gradebook."""
