"""Plasticity rules as data: `rule = pair()`, `print(rule)`, `rule.window()`, `rule.synapses(pre, post)`."""

from eccles.lab.rules.calcium import calcium
from eccles.lab.rules.pair import pair
from eccles.lab.rules.rule import Coincidence, Delays, Rule
from eccles.lab.rules.voltage import voltage

__all__ = ["Coincidence", "Delays", "Rule", "calcium", "pair", "voltage"]
