"""Builds an ONNX network layer by layer, in the form in which PyTorch exports it.

Weights are seeded: He initialisation, then batch norm with the statistics of the
network's own test input, folded into weight and bias as every exporter does. So
each channel's pre-activation has a spread of about 1 whatever the depth, none
dies and none explodes, and the logits spread over several units. To know the
statistics, the builder computes every layer while it adds it (`Tensor.value`),
which also makes a second opinion on the outputs.
"""

import math
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import reference as ref

LOGIT_SPREAD = 2.5
# Of what a residual branch adds, small as in trained networks: with branches as
# strong as the trunk, rounding errors grow tenfold over the depth.
BRANCH_SPREAD = 0.25


@dataclass
class Tensor:
    """A name in the graph and what it holds for the test input."""

    name: str
    value: np.ndarray

    @property
    def channels(self) -> int:
        return self.value.shape[1]


class Net:
    """A network under construction."""

    def __init__(self, name: str, channels: int, size: int, opset: int = 13) -> None:
        self.name, self.opset = name, opset
        self.rng = np.random.default_rng(list(name.encode()))
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.macs = 0
        # As published counts have it: a batch norm is a scale and a shift.
        self.parameters = 0
        value = self.rng.uniform(-1, 1, (1, channels, size, size)).astype(np.float32)
        self.input = Tensor("input", value)

    # --- what all layers use ---------------------------------------------------

    def node(self, op: str, inputs: list[str], value: np.ndarray, **attributes: object) -> Tensor:
        """Adds a node that computes `value`."""
        name = f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return Tensor(name, value)

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def he(self, *shape: int) -> np.ndarray:
        """Normal weights with a variance of 2 over the values that each output sums."""
        deviation = math.sqrt(2 / math.prod(shape[1:]))
        return self.rng.normal(0, deviation, shape).astype(np.float32)

    def normalise(self, raw: np.ndarray, weight: np.ndarray, spread: float) -> np.ndarray:
        """Folds batch norm into `weight`, in place; returns the bias."""
        axes = (0, 2, 3) if raw.ndim == 4 and raw[0, 0].size > 1 else None
        mean, deviation = raw.mean(axes), raw.std(axes)
        shape = (len(weight),)
        gain = spread * self.rng.uniform(0.8, 1.2, shape) if axes else np.full(shape, spread)
        scale = gain / np.maximum(deviation, 1e-3)
        weight *= scale.reshape(-1, *[1] * (weight.ndim - 1)).astype(np.float32)
        # Mostly open gates: without a mean, depth multiplies rounding errors.
        shift = self.rng.normal(0.5 * spread, 0.3 * spread, shape)
        return (shift - mean * scale).astype(np.float32)

    # --- layers ----------------------------------------------------------------

    def conv(
        self,
        x: Tensor,
        out: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        groups: int = 1,
        pads: list[int] | None = None,
        same: bool = False,
        batch_norm: bool = True,
        act: str | None = None,
        spread: float = 1.0,
    ) -> Tensor:
        """A convolution and what follows it. Padded by half the kernel, with `same`
        as TensorFlow does (the odd row and column at the end), or with `pads`."""
        if pads is None:
            pads = same_pads(x, kernel, stride) if same else [kernel // 2] * 4
        weight = self.he(out, x.channels // groups, kernel, kernel)
        raw = ref.conv(x.value, weight, stride, pads, groups)
        bias = self.normalise(raw, weight, spread)
        self.parameters += weight.size + out * (2 if batch_norm else 1)
        self.macs += weight.size * raw[0, 0].size
        value = ref.conv(x.value, weight, stride, pads, groups) + bias.reshape(1, -1, 1, 1)
        prefix = f"conv_{len(self.nodes)}"
        inputs = [
            x.name,
            self.constant(f"{prefix}.weight", weight),
            self.constant(f"{prefix}.bias", bias),
        ]
        y = self.node(
            "Conv",
            inputs,
            value,
            dilations=[1, 1],
            group=groups,
            kernel_shape=[kernel, kernel],
            pads=pads,
            strides=[stride, stride],
        )
        return self.act(y, act)

    def linear(self, x: Tensor, out: int, act: str | None = None, *, last: bool = False) -> Tensor:
        weight = self.he(out, x.channels)
        bias = self.normalise(x.value @ weight.T, weight, LOGIT_SPREAD if last else 1.0)
        self.parameters += weight.size + out
        self.macs += weight.size
        prefix = f"linear_{len(self.nodes)}"
        inputs = [
            x.name,
            self.constant(f"{prefix}.weight", weight),
            self.constant(f"{prefix}.bias", bias),
        ]
        value = x.value @ weight.T + bias
        return self.act(self.node("Gemm", inputs, value, alpha=1.0, beta=1.0, transB=1), act)

    def act(self, x: Tensor, kind: str | None) -> Tensor:
        match kind:
            case None:
                return x
            case "relu":
                return self.node("Relu", [x.name], np.maximum(x.value, 0))
            case "relu6":
                bounds = [self.constant(f"clip.{b}", np.float32(b)) for b in (0, 6)]
                return self.node("Clip", [x.name, *bounds], np.clip(x.value, 0, 6))
            case "sigmoid":
                return self.node("Sigmoid", [x.name], ref.sigmoid(x.value))
            case "silu":
                return self.multiply(x, self.act(x, "sigmoid"))
            case "hard_sigmoid":
                value = ref.hard_sigmoid(x.value)
                return self.node("HardSigmoid", [x.name], value, alpha=1 / 6, beta=0.5)
            case "hard_swish" if self.opset >= 14:
                return self.node("HardSwish", [x.name], x.value * ref.hard_sigmoid(x.value))
            case "hard_swish":
                return self.multiply(x, self.act(x, "hard_sigmoid"))
            case _:
                raise ValueError(f"no activation {kind!r}")

    def add(self, a: Tensor, b: Tensor) -> Tensor:
        return self.node("Add", [a.name, b.name], a.value + b.value)

    def multiply(self, a: Tensor, b: Tensor) -> Tensor:
        return self.node("Mul", [a.name, b.name], a.value * b.value)

    def concat(self, parts: list[Tensor]) -> Tensor:
        value = np.concatenate([part.value for part in parts], 1)
        return self.node("Concat", [part.name for part in parts], value, axis=1)

    def split(self, x: Tensor) -> list[Tensor]:
        """Two halves of the channels."""
        halves = np.split(x.value, 2, 1)
        sizes = np.array([half.shape[1] for half in halves], np.int64)
        name = f"split_{len(self.nodes)}"
        outputs = [f"{name}.0", f"{name}.1"]
        inputs = [x.name, self.constant(f"{name}.sizes", sizes)]
        self.nodes.append(helper.make_node("Split", inputs, outputs, name, axis=1))
        return [Tensor(output, half) for output, half in zip(outputs, halves)]

    def shuffle(self, x: Tensor, groups: int) -> Tensor:
        """Takes channels from the groups in turn."""
        _, channels, height, width = x.value.shape
        for op, shape in (
            ("Reshape", [1, groups, channels // groups, height, width]),
            ("Transpose", [0, 2, 1, 3, 4]),
            ("Reshape", [1, channels, height, width]),
        ):
            if op == "Transpose":
                x = self.node(op, [x.name], x.value.transpose(shape), perm=shape)
            else:
                name = self.constant(f"shape_{len(self.nodes)}", np.array(shape, np.int64))
                x = self.node(op, [x.name, name], x.value.reshape(shape))
        return x

    def max_pool(
        self, x: Tensor, kernel: int, stride: int, padding: int = 0, ceil: int = 0
    ) -> Tensor:
        pads = [padding] * 4
        size = x.value.shape[2] + 2 * padding - kernel
        if ceil and size % stride:
            raise ValueError("a window that ceil_mode would add is not supported")
        value = ref.pool(x.value, kernel, stride, pads, largest=True)
        return self.node(
            "MaxPool",
            [x.name],
            value,
            ceil_mode=ceil,
            kernel_shape=[kernel, kernel],
            pads=pads,
            strides=[stride, stride],
        )

    def average_pool(self, x: Tensor, kernel: int) -> Tensor:
        value = ref.pool(x.value, kernel, kernel, [0] * 4, largest=False)
        attributes = {"kernel_shape": [kernel, kernel], "strides": [kernel, kernel]}
        return self.node("AveragePool", [x.name], value, **attributes)

    def global_average(self, x: Tensor) -> Tensor:
        return self.node("GlobalAveragePool", [x.name], x.value.mean((2, 3), keepdims=True))

    def reduce_mean(self, x: Tensor) -> Tensor:
        """The mean over rows and columns, which then are gone."""
        value = x.value.mean((2, 3))
        return self.node("ReduceMean", [x.name], value, axes=[2, 3], keepdims=0)

    def flatten(self, x: Tensor) -> Tensor:
        return self.node("Flatten", [x.name], x.value.reshape(1, -1), axis=1)

    def squeeze_excite(self, x: Tensor, hidden: int, act: str, gate: str) -> Tensor:
        """Scales each channel by what two small layers make of all channels' means."""
        y = self.global_average(x)
        y = self.conv(y, hidden, batch_norm=False, act=act)
        y = self.conv(y, x.channels, batch_norm=False, act=gate)
        return self.multiply(x, y)

    # --- the result ------------------------------------------------------------

    def finish(self, output: Tensor) -> onnx.ModelProto:
        """The model, checked."""
        shapes = [list(t.value.shape) for t in (self.input, output)]
        ports = [
            helper.make_tensor_value_info(t.name, TensorProto.FLOAT, shape)
            for t, shape in zip((self.input, output), shapes)
        ]
        graph = helper.make_graph(
            self.nodes, self.name, ports[:1], ports[1:], list(self.constants.values())
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def same_pads(x: Tensor, kernel: int, stride: int) -> list[int]:
    """TensorFlow's "SAME" for ONNX: top, left, bottom, right."""
    begin, end = [], []
    for size in x.value.shape[2:]:
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        begin.append(total // 2)
        end.append(total - total // 2)
    return begin + end


def divisible(channels: float, divisor: int = 8) -> int:
    """The multiple of `divisor` that is nearest and not over 10 % below."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded
