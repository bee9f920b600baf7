"""The bricks, one file per idea, in lesson order; each imports only earlier ones."""
