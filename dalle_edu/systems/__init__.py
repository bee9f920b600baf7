"""The systems: bricks assembled, one file each, one interface."""
