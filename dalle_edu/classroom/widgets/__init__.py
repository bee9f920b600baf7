"""The course's own pictures that answer, a file each."""
