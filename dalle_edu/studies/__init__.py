"""Studies: what is measured of systems beyond their marks."""
