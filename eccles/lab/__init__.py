"""The laboratory: built from nothing that users do not have, so every part can be opened, read and changed.

- `eccles.lab.rules`: plasticity rules as data; `print(rule)`, `rule.window()`, `rule.synapses(pre, post)`.
- `eccles.lab.neurons`: models of neurons, and what synapses do to them.
- `eccles.lab.protocols`: when both neurons of a synapse are made to spike; spike trains.
- `eccles.lab.measure`: EPSPs by test pulses (`epsp`), their shape, statistics of spike trains.
- `eccles.lab.experiments`: `experiment(rule, protocol, neuron)`, and published experiments.
- `eccles.lab.binaural`: from two tones to a synapse.
- `eccles.lab.report`: what an experiment gave, as a page to mail.
- `eccles.lab.beats`: pairs of neurons that fire at two rates; `beats_grid` says what a grid does to them,
  `beats_files` and `beats_plot` keep and draw the result.
"""
