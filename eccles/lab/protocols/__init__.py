"""Protocols: when both neurons of a synapse are made to spike, at exact times."""

from collections.abc import Callable

from eccles.lab.protocols.bursts import burst_pairing, markram_1997, sjostrom_2001, sjostrom_2001_continuous
from eccles.lab.protocols.pairing import pairing
from eccles.lab.protocols.protocol import Protocol
from eccles.lab.protocols.recorded import from_neo, read_trains, recorded, write_trains
from eccles.lab.protocols.stimulation import (
    low_frequency,
    paired_pulses,
    strong_low_frequency,
    tetanus,
    tetanus_in_vivo,
    theta_burst,
    theta_burst_short,
    weak_tetanus,
)
from eccles.lab.protocols.triplets import post_pre_post, pre_post_pre, quadruplets

__all__ = [
    "PROTOCOLS",
    "Protocol",
    "burst_pairing",
    "from_neo",
    "low_frequency",
    "markram_1997",
    "paired_pulses",
    "pairing",
    "post_pre_post",
    "pre_post_pre",
    "quadruplets",
    "read_trains",
    "recorded",
    "sjostrom_2001",
    "sjostrom_2001_continuous",
    "strong_low_frequency",
    "tetanus",
    "tetanus_in_vivo",
    "theta_burst",
    "theta_burst_short",
    "weak_tetanus",
    "write_trains",
]

# each can be called without arguments, for the published numbers
PROTOCOLS: dict[str, Callable[..., Protocol]] = {
    "pairing": pairing,
    "pre_post_pre": pre_post_pre,
    "post_pre_post": post_pre_post,
    "quadruplets": quadruplets,
    "burst_pairing": burst_pairing,
    "sjostrom_2001": sjostrom_2001,
    "sjostrom_2001_continuous": sjostrom_2001_continuous,
    "markram_1997": markram_1997,
    "theta_burst": theta_burst,
    "theta_burst_short": theta_burst_short,
    "tetanus": tetanus,
    "tetanus_in_vivo": tetanus_in_vivo,
    "weak_tetanus": weak_tetanus,
    "low_frequency": low_frequency,
    "strong_low_frequency": strong_low_frequency,
    "paired_pulses": paired_pulses,
}
