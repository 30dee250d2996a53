"""Measures: what is read off spike trains and traces, with confidence intervals."""
