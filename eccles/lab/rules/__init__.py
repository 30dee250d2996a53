"""Plasticity rules as data: `rule = pair()`, `print(rule)`, `rule.window()`, `rule.synapses(pre, post)`."""

from eccles.lab.rules.calcium import calcium
from eccles.lab.rules.dopamine import dopamine, reward
from eccles.lab.rules.homeostasis import homeostasis
from eccles.lab.rules.inhibitory import inhibitory
from eccles.lab.rules.pair import pair
from eccles.lab.rules.rule import Coincidence, Delays, Rule
from eccles.lab.rules.short_term import short_term
from eccles.lab.rules.suppression import suppression
from eccles.lab.rules.triplet import triplet
from eccles.lab.rules.voltage import voltage

__all__ = [
    "Coincidence",
    "Delays",
    "Rule",
    "calcium",
    "dopamine",
    "homeostasis",
    "inhibitory",
    "pair",
    "reward",
    "short_term",
    "suppression",
    "triplet",
    "voltage",
]
