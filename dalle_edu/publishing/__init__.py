"""What is written for readers: cards of weights, the READMEs' table, exports for other programs."""
