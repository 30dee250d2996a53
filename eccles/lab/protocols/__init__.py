"""Protocols: when both neurons of a synapse are made to spike, at exact times."""

from eccles.lab.protocols.pairing import pairing
from eccles.lab.protocols.protocol import Protocol

__all__ = ["Protocol", "pairing"]
