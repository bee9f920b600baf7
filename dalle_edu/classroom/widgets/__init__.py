"""The interactive figures of the course, one in each file."""
