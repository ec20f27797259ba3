"""The Data set page: what is studied, the work, what came of it, and its pictures."""
