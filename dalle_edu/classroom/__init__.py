"""Teaching material: references that prove the bricks, classic mistakes, checks of exercises, experiments, figures, widgets, quizzes."""
