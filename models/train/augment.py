"""Random distortions of digits: small affine maps with elastic deformation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Strength:
    """Largest distortion of each kind."""

    rotate: float = 10.0  # degrees
    shear: float = 0.12
    scale: float = 0.10
    shift: float = 2.0  # pixels
    elastic: float = 0.6  # pixels, standard deviation of the control points
    untouched: float = 0.25  # share left as it is: resampling blurs, real digits are sharp


def distort(images: torch.Tensor, strength: Strength = Strength()) -> torch.Tensor:
    """Distorts each of the images, float [n,1,28,28] with 0 as background."""
    n, side = len(images), images.shape[-1]

    def uniform(limit: float) -> torch.Tensor:
        return (torch.rand(n) * 2 - 1) * limit

    angle = uniform(math.radians(strength.rotate))
    shear = uniform(strength.shear)
    wide, tall = torch.exp(uniform(strength.scale)), torch.exp(uniform(strength.scale))
    cos, sin = torch.cos(angle), torch.sin(angle)
    shift = 2.0 * strength.shift / side
    rows = [
        torch.stack([cos * wide, -sin + shear, uniform(shift)], 1),
        torch.stack([sin, cos * tall, uniform(shift)], 1),
    ]
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    control = torch.randn(n, 2, 5, 5) * (2.0 * strength.elastic / side)
    bend = F.interpolate(control, (side, side), mode="bicubic", align_corners=True)
    moved = F.grid_sample(images, grid + bend.permute(0, 2, 3, 1), align_corners=False)
    return torch.where((torch.rand(n) < strength.untouched)[:, None, None, None], images, moved)
