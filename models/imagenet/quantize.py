"""int8 weights by output channel, rounded so that each layer's output changes least.

Plain rounding to int8 flips about one answer in forty of EfficientNet-Lite. Two measures
bring that down without a single photograph:

- Layers of at most `KEPT` weights stay float32. They are the first ones, whose error goes
  through the whole network, and together less than 1 % of the weights.
- In the others a weight's rounding error is made up for by the weights of the same output
  that are not rounded yet, by the correlation of the layer's inputs (GPTQ, Frantar et al.,
  ICLR 2023). The inputs are those of synthetic "dead leaves" pictures (Lee, Mumford and
  Huang, IJCV 2001): discs of random colour that cover each other, with the sharp edges and
  the scale invariance of photographs.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

KEPT = 4096  # a layer with at most so many weights stays float32
PICTURES = 16
DAMPING = 0.01  # of the mean diagonal of the correlation
SAMPLES = 1024  # positions of a picture's layer at most that are correlated


def dead_leaves(side: int, count: int, seed: int = 2015) -> np.ndarray:
    """Synthetic pictures as float32 [count,3,side,side], pixel values from 0 to 255."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    pictures = np.empty((count, 3, side, side), np.float32)
    smallest, largest = 2.0, side / 2.0
    for picture in pictures:
        picture[:] = rng.uniform(0, 255, 3)[:, None, None]
        for _ in range(600):
            # Radii by r^-3, which looks the same at every scale.
            u = rng.uniform(largest**-2, smallest**-2)
            inside = (x - rng.uniform(0, side)) ** 2 + (y - rng.uniform(0, side)) ** 2 < 1 / u
            picture[:, inside] = rng.uniform(0, 255, 3)[:, None]
        picture += rng.normal(0, 4, picture.shape)
    return np.clip(pictures, 0, 255)


def scales(weights: torch.Tensor) -> torch.Tensor:
    """The float32 step of each output channel (axis 0): its largest weight is 127 steps."""
    steps = (weights.flatten(1).abs().amax(1) / 127.0).float()
    return torch.where(steps > 0, steps, torch.ones_like(steps))


def correlation(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Sums of products of the inputs that meet the same output: [groups, n, n]."""
    if isinstance(layer, nn.Linear):
        columns = x.T[None]
    else:
        unfold = nn.Unfold(layer.kernel_size, stride=layer.stride)
        columns = unfold(layer.static_padding(x))  # [batch, c * k * k, positions]
        step = -(-columns.shape[2] // SAMPLES)
        columns = columns[:, :, ::step].transpose(0, 1).flatten(1)
        columns = columns.reshape(layer.groups, -1, columns.shape[1])
    return (columns @ columns.transpose(1, 2)).double()


def rounded(weights: torch.Tensor, groups: int, hessian: torch.Tensor) -> torch.Tensor:
    """int8 weights of one layer, in the order of `weights` (output channel first)."""
    steps = scales(weights).double()
    w = weights.detach().double().flatten(1)
    w = w.reshape(groups, -1, w.shape[1]).clone()  # [groups, outputs, inputs]
    steps = steps.reshape(groups, -1, 1)
    size = hessian.shape[1]
    diagonal = torch.diagonal(hessian, dim1=1, dim2=2)
    damp = DAMPING * diagonal.mean(1).clamp(min=1e-12)
    hessian = hessian + damp[:, None, None] * torch.eye(size, dtype=torch.double)
    inverse = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(hessian)))
    upper = inverse.transpose(1, 2)
    q = torch.empty_like(w)
    for i in range(size):
        column = w[:, :, i : i + 1]
        q[:, :, i : i + 1] = torch.clamp(torch.round(column / steps), -127, 127)
        error = (column - q[:, :, i : i + 1] * steps) / upper[:, i : i + 1, i : i + 1]
        w[:, :, i:] -= error @ upper[:, i : i + 1, i:]
    return q.to(torch.int8).reshape(weights.shape)


@torch.inference_mode()
def quantize(
    module: nn.Module, inputs: torch.Tensor
) -> dict[nn.Module, tuple[torch.Tensor, torch.Tensor]]:
    """Rounds the large layers of `module` in place.

    `inputs` [n,3,side,side] are normalised pictures. Returns the int8 weights and the
    steps of each layer, whose weights are then exactly their product.
    """
    layers = [
        layer
        for layer in module.modules()
        if isinstance(layer, (nn.Conv2d, nn.Linear)) and layer.weight.numel() > KEPT
    ]
    # All correlations in one pass of the network as it was: what rounding an
    # earlier layer changes of them is small.
    sums: dict[nn.Module, torch.Tensor] = {}
    hooks = [
        layer.register_forward_pre_hook(
            lambda at, x: sums.update({at: sums.get(at, 0.0) + correlation(at, x[0])})
        )
        for layer in layers
    ]
    for picture in inputs.split(1):
        module(picture)
    for hook in hooks:
        hook.remove()
    taken = {}
    for layer in layers:
        q = rounded(layer.weight, getattr(layer, "groups", 1), sums[layer])
        steps = scales(layer.weight)
        layer.weight.copy_(q * steps.reshape(-1, *[1] * (q.dim() - 1)))
        taken[layer] = q, steps
    return taken
