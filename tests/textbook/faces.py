"""What differs between the faces that models are run in."""

from __future__ import annotations

from typing import Any

__all__ = ["is_exact"]


def is_exact(face: Any) -> bool:
    """Whether spikes come at their exact times, not at multiples of the time step."""
    return face.__name__ == "eccles"
