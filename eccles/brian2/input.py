"""Where scripts look for inputs."""

from eccles.brian2 import PoissonGroup, PoissonInput, SpikeGeneratorGroup, TimedArray

__all__ = ["PoissonGroup", "PoissonInput", "SpikeGeneratorGroup", "TimedArray"]
