"""Architectures of the MNIST pair: candidates, PyTorch modules, MAC counts.

A network is a tuple of layers; the same tuple gives the PyTorch module
(`build`), the MAC and parameter count (`count`) and the ONNX graph
(`export_onnx.py`), so the three cannot drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

CLASSES = 10
SIDE = 28


@dataclass(frozen=True)
class Conv:
    """3x3-like convolution with batch norm (folded at export) and ReLU."""

    out: int
    kernel: int = 3
    stride: int = 1
    relu: bool = True
    pad: int | None = None  # half the kernel unless given

    def padding(self) -> int:
        return self.kernel // 2 if self.pad is None else self.pad

    def side(self, side: int) -> int:
        """Output height and width for an input of `side`."""
        return (side + 2 * self.padding() - self.kernel) // self.stride + 1


@dataclass(frozen=True)
class Residual:
    """Two 3x3 convolutions of the incoming width, plus the identity, then ReLU."""


@dataclass(frozen=True)
class Pool:
    """2x2 max pooling."""


@dataclass(frozen=True)
class Mean:
    """Global average pooling, then flattening."""


@dataclass(frozen=True)
class Flat:
    """Flattening."""


Layer = Conv | Residual | Pool | Mean | Flat
Net = tuple[Layer, ...]  # a linear layer to the ten classes closes every net


def _vgg(*widths: int, depth: int = 2) -> Net:
    """Blocks of `depth` 3x3 convolutions, max pooling between, mean at the end."""
    layers: list[Layer] = []
    for i, width in enumerate(widths):
        if i:
            layers.append(Pool())
        layers += [Conv(width)] * depth
    return (*layers, Mean())


def _resnet(*widths: int) -> Net:
    """A stem, then one residual block per width; stride 2 between widths."""
    layers: list[Layer] = [Conv(widths[0]), Residual()]
    for width in widths[1:]:
        layers += [Conv(width, stride=2), Residual()]
    return (*layers, Mean())


def _thin(*convs: tuple[int, int]) -> Net:
    """Unpadded convolutions, given as (kernel, width), then a linear layer."""
    strided = [Conv(width, kernel, 2, pad=0) for kernel, width in convs[:2]]
    return (*strided, *(Conv(width, kernel, pad=0) for kernel, width in convs[2:]), Flat())


BIGS: dict[str, Net] = {
    "lenet-20-50": (Conv(20, 5), Pool(), Conv(50, 5), Pool(), Flat()),
    "vgg-12-24-48": _vgg(12, 24, 48),
    "vgg-16-32-64": _vgg(16, 32, 64),
    "vgg-24-48-96": _vgg(24, 48, 96),
    "vgg-32-64-128": _vgg(32, 64, 128),
    "vgg3-32-64-128": _vgg(32, 64, 128, depth=3),
    "resnet-16-32-64": _resnet(16, 32, 64),
    "resnet-32-64-128": _resnet(32, 64, 128),
}

# Named by kernel x width of each convolution: two of stride 2, then stride 1. Without
# padding, because the runtime's unpadded convolutions are about a third cheaper here.
LITTLES: dict[str, Net] = {
    "4x8-3x16": _thin((4, 8), (3, 16)),
    "4x16-3x32": _thin((4, 16), (3, 32)),
    "4x8-3x16-3x32": _thin((4, 8), (3, 16), (3, 32)),
    "4x16-3x16-3x32": _thin((4, 16), (3, 16), (3, 32)),
    "4x16-3x32-3x32": _thin((4, 16), (3, 32), (3, 32)),
    "4x8-3x16-3x32-3x32": _thin((4, 8), (3, 16), (3, 32), (3, 32)),
    "4x8-3x16-3x48-3x48": _thin((4, 8), (3, 16), (3, 48), (3, 48)),
}

ALL: dict[str, Net] = {**BIGS, **LITTLES}


def architecture(run: str) -> str:
    """The architecture of a run: NAME of NAME+EPOCHS, which went on from earlier weights."""
    return run.partition("+")[0]


class _ConvBlock(nn.Module):
    """Convolution, batch norm, optional ReLU."""

    def __init__(self, width: int, spec: Conv) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, spec.out, spec.kernel, spec.stride, spec.padding(), bias=False)
        self.norm = nn.BatchNorm2d(spec.out)
        self.relu = spec.relu

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.conv(x))
        return torch.relu(x) if self.relu else x


class _ResidualBlock(nn.Module):
    """relu(x + conv(conv(x)))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _ConvBlock(width, Conv(width))
        self.second = _ConvBlock(width, Conv(width, relu=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.second(self.first(x)))


class _Flat(nn.Module):
    """Flattening in channel, row, column order whatever the memory format."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.contiguous().flatten(1)


def build(net: Net) -> nn.Sequential:
    """The PyTorch module of a network; one child per layer, then the linear one."""
    blocks: list[nn.Module] = []
    width, side = 1, SIDE
    for layer in net:
        match layer:
            case Conv():
                blocks.append(_ConvBlock(width, layer))
                width, side = layer.out, layer.side(side)
            case Residual():
                blocks.append(_ResidualBlock(width))
            case Pool():
                blocks.append(nn.MaxPool2d(2))
                side //= 2
            case Mean():
                blocks.append(nn.Sequential(nn.AdaptiveAvgPool2d(1), _Flat()))
                side = 1
            case Flat():
                blocks.append(_Flat())
    blocks.append(nn.Linear(width * side * side, CLASSES))
    return nn.Sequential(*blocks)


def count(net: Net) -> tuple[int, int]:
    """Multiply-accumulates per image and parameters, batch norm folded."""
    macs = params = 0
    width, side = 1, SIDE

    def add(spec: Conv) -> None:
        nonlocal macs, params, width, side
        side = spec.side(side)
        weights = width * spec.out * spec.kernel**2
        macs += weights * side * side
        params += weights + spec.out
        width = spec.out

    for layer in net:
        match layer:
            case Conv():
                add(layer)
            case Residual():
                add(Conv(width))
                add(Conv(width))
            case Pool():
                side //= 2
            case Mean():
                side = 1
            case Flat():
                pass
    inputs = width * side * side
    return macs + inputs * CLASSES, params + (inputs + 1) * CLASSES
