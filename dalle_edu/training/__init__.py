"""Training: the loop, a run and how it resumes, optimisers, the learning rate's schedule, the moving average of the weights."""
