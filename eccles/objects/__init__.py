"""Groups, synapses, inputs and networks: what users build models from."""

from eccles.objects.inputs import PoissonGroup, PoissonInput, SpikeGeneratorGroup
from eccles.objects.linked import linked_var
from eccles.objects.magic import defaultclock, seed, start_scope
from eccles.objects.network import MagicError, Network, restore, run, stop, store
from eccles.objects.neurons import NeuronGroup
from eccles.objects.operations import NetworkOperation, network_operation
from eccles.objects.sources import Subgroup
from eccles.objects.synapses import Synapses
from eccles.objects.timed import TimedArray

__all__ = [
    "MagicError",
    "Network",
    "NetworkOperation",
    "NeuronGroup",
    "PoissonGroup",
    "PoissonInput",
    "SpikeGeneratorGroup",
    "Subgroup",
    "Synapses",
    "TimedArray",
    "defaultclock",
    "linked_var",
    "network_operation",
    "restore",
    "run",
    "seed",
    "start_scope",
    "stop",
    "store",
]
