"""Critics: what compares pictures with sentences, and chooses among candidates."""
