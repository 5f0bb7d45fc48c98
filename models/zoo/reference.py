"""Operators in numpy, NCHW with batch 1: what a builder computes while it builds."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Array = np.ndarray


def pad(x: Array, pads: list[int], value: float = 0.0) -> Array:
    """Pads rows and columns by ONNX's [top, left, bottom, right]."""
    top, left, bottom, right = pads
    return np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=value)


def conv(x: Array, weight: Array, stride: int, pads: list[int], groups: int) -> Array:
    """Convolution without bias; weight is [out, in / groups, k, k]."""
    out_channels, _, k, _ = weight.shape
    x = pad(x, pads)
    if groups == x.shape[1] == out_channels:
        height, width = ((n - k) // stride + 1 for n in x.shape[2:])
        out = np.zeros((1, out_channels, height, width), np.float32)
        for i in range(k):
            for j in range(k):
                part = x[:, :, i : i + stride * height : stride, j : j + stride * width : stride]
                out += part[:, :, :height, :width] * weight[:, 0, i, j].reshape(1, -1, 1, 1)
        return out
    if groups != 1:
        raise ValueError(f"{groups} groups of {x.shape[1]} channels: only 1 or depthwise")
    windows = sliding_window_view(x, (k, k), (2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwij,ocij->nohw", windows, weight, optimize=True).astype(np.float32)


def pool(x: Array, kernel: int, stride: int, pads: list[int], largest: bool) -> Array:
    """Maximum, or mean of full windows."""
    x = pad(x, pads, -np.inf if largest else 0.0)
    windows = sliding_window_view(x, (kernel, kernel), (2, 3))[:, :, ::stride, ::stride]
    return windows.max((4, 5)) if largest else windows.mean((4, 5), dtype=np.float32)


def sigmoid(x: Array) -> Array:
    return (1 / (1 + np.exp(-x))).astype(np.float32)


def hard_sigmoid(x: Array) -> Array:
    return np.clip(x / 6 + 0.5, 0, 1).astype(np.float32)
