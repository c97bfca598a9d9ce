"""Generalized Latent Equilibrium in PyTorch, as its authors' algorithm is written.

Ellenberger, Haider et al., "Backpropagation through space, time, and the brain" (Nature
Communications 17:66): a module for each layer, its state in tensors [batch, neurons], no autograd.
In each step every layer reads what the others left in the step before, all states move together,
and then an optimizer of PyTorch takes one step along the gradients that the layers have computed.
Written anew from the equations, in their order, neither tuned nor slowed down.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Layer(nn.Module):
    """Neurons, and the synapses from the layer below: r = tanh(u + tau_r u')."""

    def __init__(self, pre: int, post: int, batch: int, dt: float, tau_m: float, tau_r: float):
        super().__init__()
        self.linear = nn.Linear(pre, post)
        self.dt = dt
        self.tau_m = torch.full((post,), tau_m)
        self.tau_r = torch.full((post,), tau_r)
        # At rest r and its slope are 0, not those of u = 0.
        self.u, self.v, self.r, self.r_prime = (torch.zeros(batch, post) for _ in range(4))
        self.e_bottom = torch.zeros(batch, pre)

    def step(self, r_pre: Tensor, e_top: Tensor) -> tuple[Tensor, ...]:
        """The next state, and the gradients of this step."""
        W, b = self.linear.weight, self.linear.bias

        # Error neurons leak with tau_r and look ahead with tau_m.
        e_inst = e_top * self.r_prime
        v_dot = (e_inst - self.v) / self.tau_r
        v = self.v + self.dt * v_dot
        e = self.v + self.tau_m * v_dot

        # Somata leak with tau_m and look ahead with tau_r.
        s = nn.functional.linear(r_pre, W, b)
        u_dot = (s - self.u) / self.tau_m
        u = self.u + self.dt * u_dot
        u_ahead = self.u + self.tau_r * u_dot

        # Each sample has its own product of error and rate; weights follow the mean.
        W.grad = -torch.einsum("bi,bj->bij", e, r_pre).mean(0)
        b.grad = -e.mean(0)

        e_bottom = e @ W
        r = torch.tanh(u_ahead)
        return u, v, r, 1 - r * r, e_bottom

    def commit(self, state: tuple[Tensor, ...]) -> None:
        self.u, self.v, self.r, self.r_prime, self.e_bottom = state


class Chain(nn.Module):
    """Layers one upon the other, with a teacher at the last: mean squared error, beta 1."""

    def __init__(
        self,
        sizes: Sequence[int],
        batch: int = 1,
        *,
        dt: float = 0.1,
        tau_m: float = 1.0,
        tau_r: float = 0.1,
        learning_rate: float = 1e-5,
    ):
        super().__init__()
        self.layers = nn.ModuleList(
            Layer(pre, post, batch, dt, tau_m, tau_r) for pre, post in zip(sizes, sizes[1:])
        )
        self.optimizer = torch.optim.SGD(self.parameters(), lr=learning_rate)

    @torch.no_grad()
    def step(self, x: Tensor, target: Tensor) -> Tensor:
        """One step of dt; returns the output that the teacher has compared."""
        layers = list(self.layers)
        output = layers[-1].r
        rates = [x, *(layer.r for layer in layers[:-1])]
        errors = [*(layer.e_bottom for layer in layers[1:]), target - output]
        states = [layer.step(r_pre, e_top) for layer, r_pre, e_top in zip(layers, rates, errors)]
        for layer, state in zip(layers, states):
            layer.commit(state)
        self.optimizer.step()
        return output
