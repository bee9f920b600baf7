"""Publishing: cards of trained weights, the table of marks in the READMEs, exports for other programs."""
