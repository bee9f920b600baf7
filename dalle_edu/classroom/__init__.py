"""What a classroom adds to the library: references that prove the bricks, classic mistakes, experiments."""
