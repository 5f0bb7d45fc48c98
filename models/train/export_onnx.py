"""Writes a trained network as ONNX: batch norm folded, opset 13, batch 1.

    python export_onnx.py RUN_DIR NAME OUTPUT.onnx

The graph is put together by hand: only Conv, Relu, MaxPool, Flatten, Gemm,
GlobalAveragePool and Add, no initialiser among the inputs, no external data,
no metadata. Input `input` [1,1,28,28], output `logits` [1,10].
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import nets


class _Graph:
    """Collects nodes and initialisers, naming tensors in order."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def node(self, op: str, inputs: list[str], output: str = "", **attributes: object) -> str:
        name = output or f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=f"node_{name}", **attributes))
        return name

    def weight(self, name: str, value: torch.Tensor) -> str:
        array = np.ascontiguousarray(value.detach().numpy().astype(np.float32))
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def conv(self, x: str, block: nn.Module, relu: bool) -> str:
        """One convolution with its batch norm folded, in double precision."""
        conv, norm = block.conv, block.norm
        scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        kernel = conv.weight.double() * scale[:, None, None, None]
        bias = norm.bias.double() - norm.running_mean.double() * scale
        tag = f"c{len(self.nodes)}"
        size, pad, stride = conv.kernel_size[0], conv.padding[0], conv.stride[0]
        y = self.node(
            "Conv",
            [x, self.weight(f"{tag}.weight", kernel), self.weight(f"{tag}.bias", bias)],
            kernel_shape=[size, size],
            pads=[pad] * 4,
            strides=[stride, stride],
        )
        return self.node("Relu", [y]) if relu else y


def to_onnx(module: nn.Sequential, name: str) -> onnx.ModelProto:
    """The ONNX model of the trained module of the run `name`."""
    graph, x = _Graph(), "input"
    for layer, block in zip(nets.ALL[nets.architecture(name)], module):
        match layer:
            case nets.Conv():
                x = graph.conv(x, block, layer.relu)
            case nets.Residual():
                y = graph.conv(graph.conv(x, block.first, True), block.second, False)
                x = graph.node("Relu", [graph.node("Add", [x, y])])
            case nets.Pool():
                x = graph.node("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
            case nets.Mean():
                x = graph.node("Flatten", [graph.node("GlobalAveragePool", [x])], axis=1)
            case nets.Flat():
                x = graph.node("Flatten", [x], axis=1)
    linear = module[-1]
    graph.node(
        "Gemm",
        [x, graph.weight("fc.weight", linear.weight), graph.weight("fc.bias", linear.bias)],
        output="logits",
        transB=1,
    )
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            name,
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 1, 28, 28])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 10])],
            graph.weights,
        ),
        producer_name="biglittle",
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=7,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def load(run: Path, name: str) -> nn.Sequential:
    """The trained module `name` from the folder of a training run, in eval mode."""
    module = nets.build(nets.ALL[nets.architecture(name)])
    module.load_state_dict(torch.load(run / f"{name}.pt", weights_only=True))
    return module.eval()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder with the trained weights")
    parser.add_argument("name", help="of the run: NAME.pt in that folder")
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    onnx.save(to_onnx(load(args.run, args.name), args.name), args.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
