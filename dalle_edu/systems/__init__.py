"""The systems: bricks assembled, one file each, with one interface.

`interface/` says what a system is and how to write one; `families/`, `parts/`,
`critics/`, `hard_negatives/` and `image_edits/` hold what several systems share.
"""
