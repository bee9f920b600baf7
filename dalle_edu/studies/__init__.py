"""Studies: measurements of systems beyond their marks, on candidates, edits and the wording of prompts."""
