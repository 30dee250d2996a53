"""The laboratory: experiments and their figures, built from nothing that users do not have.

`eccles.lab.beats` simulates pairs of neurons that fire at two rates, with plasticity between them;
`eccles.lab.beats_plot` draws the result.
"""
