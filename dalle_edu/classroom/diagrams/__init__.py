"""The diagrams of the course, drawn by code, one lesson's in each file."""
