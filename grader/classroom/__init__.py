"""A whole class: grading it side by side, and what can be said of it from the gradebook."""
