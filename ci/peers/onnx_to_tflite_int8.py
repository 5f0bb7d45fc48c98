"""Converts an image network from ONNX to TensorFlow Lite in integers only.

As TensorFlow's own converter has it: activations of int8 with a scale and a zero
for each tensor, weights of int8 with a scale for each output channel, biases of
int32; input and output are int8 too. See LiteRT's 8-bit quantization
specification.
"""

from collections.abc import Mapping

import numpy as np
import onnx

from onnx_to_tflite import Converter

# Operators whose input and output must have one scale and zero.
TIED = {
    "AveragePool",
    "Concat",
    "Flatten",
    "Identity",
    "MaxPool",
    "Reshape",
    "Slice",
    "Split",
    "Transpose",
}
Range = tuple[float, float]


class Int8Converter(Converter):
    """One conversion with the range of each of the network's tensors."""

    def __init__(self, model: onnx.ModelProto, ranges: Mapping[str, Range]) -> None:
        super().__init__(model)
        self.ranges = dict(ranges)
        self.tie()

    def tie(self) -> None:
        """Tensors that must have one scale get one range."""
        group: dict[str, set[str]] = {}
        for node in self.nodes:
            if node.op_type in TIED:
                names = {*node.input, *node.output} & self.ranges.keys()
                joined = names.union(*(group.get(name, ()) for name in names))
                group |= dict.fromkeys(joined, joined)
        for name, names in group.items():
            lows, highs = zip(*(self.ranges[other] for other in names))
            self.ranges[name] = min(lows), max(highs)

    def activation(self, shape: tuple[int, ...], values: str | int | Range) -> int:
        y = self.out.tensor(shape)
        self.scale(y, values)
        return y

    def scale(self, y: int, values: str | int | Range) -> None:
        """Gives an activation the scale and zero for these values."""
        if isinstance(values, int):
            scale, zero = self.out.quantization(values)
        else:
            low, high = self.ranges[values] if isinstance(values, str) else values
            low, high = min(low, 0.0), max(high, 0.0)
            scale = max((high - low) / 255, 1e-9)
            zero = int(np.clip(round(-128 - low / scale), -128, 127))
        self.out.quantize(y, [scale], [zero])

    def fuse(self, x: int, name: str) -> None:
        super().fuse(x, name)
        self.scale(x, name)

    def scalar(self, value: float) -> int:
        y = self.out.constant([127], np.int8)
        self.out.quantize(y, [value / 127], [0])
        return y

    def parameters(self, x: int, weight: np.ndarray, bias: np.ndarray, axis: int) -> list[int]:
        step = self.out.quantization(x)[0]
        rest = tuple(i for i in range(weight.ndim) if i != axis)
        # Of a channel with next to no weights the bias decides, which has to fit.
        scales = np.abs(weight).max(rest) / 127
        scales = np.maximum(scales, np.maximum(np.abs(bias) / (step * 2**30), 1e-9))
        zeros = [0] * len(scales)
        steps = np.rint(weight / np.expand_dims(scales, rest))
        w = self.out.constant(steps, np.int8)
        self.out.quantize(w, scales.tolist(), zeros, axis)
        b = self.out.constant(np.rint(bias / (step * scales)), np.int32)
        self.out.quantize(b, (step * scales).tolist(), zeros)
        return [w, b]

    def op_sigmoid(self, node: onnx.NodeProto, attributes: dict) -> None:
        super().op_sigmoid(node, attributes)
        # The one that the operator has, whatever the values.
        self.out.quantize(self.tensors[node.output[0]], [1 / 256], [-128])
