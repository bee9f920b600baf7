"""How an exercise is judged: cases and their references, the attempt of a version at them, and what is told of what it made of them."""
