"""The nearest task that Nengo has: a read-out of N neurons that is learned online.

An ensemble of N tanh neurons with fixed encoders is driven by D numbers; PES (MacNeil and
Eliasmith 2011) learns its decoders, D x N numbers, from the error of D outputs, in every step.
Prospero's side of it is a chain D-N-D whose first projection is constant. Both read the fixed
weights once and the learned ones twice in each step.

What differs: PES is a delta rule for one layer, in which no error passes through neurons; our
chain also propagates the error to its hidden layer, where nothing learns. Nengo filters spikes or
rates by synapses, whose time constant is our tau_m. So this compares what a step costs, not
what is learned.
"""

from __future__ import annotations

import nengo
import numpy as np


def build(neurons: int, dimensions: int, dt: float = 1e-3) -> nengo.Simulator:
    """A simulator in single precision, ready to run."""
    nengo.rc["precision"]["bits"] = "32"
    x = np.sin(np.arange(dimensions))
    target = np.full(dimensions, 0.3)
    with nengo.Network(seed=1) as network:
        stimulus = nengo.Node(x)
        wanted = nengo.Node(target)
        hidden = nengo.Ensemble(
            neurons,
            dimensions,
            neuron_type=nengo.Tanh(),
            # Given, as they would otherwise be solved for when the network is built.
            gain=np.ones(neurons),
            bias=np.zeros(neurons),
        )
        output = nengo.Node(size_in=dimensions)
        error = nengo.Node(size_in=dimensions)
        nengo.Connection(stimulus, hidden, synapse=0.01)
        learned = nengo.Connection(
            hidden,
            output,
            solver=nengo.solvers.NoSolver(np.zeros((neurons, dimensions))),
            learning_rule_type=nengo.PES(learning_rate=1e-5),
            synapse=0.01,
        )
        nengo.Connection(output, error, synapse=None)
        nengo.Connection(wanted, error, transform=-1, synapse=None)
        nengo.Connection(error, learned.learning_rule, synapse=None)
    return nengo.Simulator(network, dt=dt, progress_bar=False)
