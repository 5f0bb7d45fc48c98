"""Converts an image network from ONNX (NCHW) to TensorFlow Lite (NHWC).

Written for what models/zoo exports, in the forms that TensorFlow's own converter
makes of such networks: activations fused into the layer before, padding that
"SAME" cannot say as an operator of its own, hard swish as one operator. Raises
`Unsupported` for the rest.
"""

from collections import Counter

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tflite import Writer, schema

Activation = schema.ActivationFunctionType
Padding = schema.Padding


class Unsupported(Exception):
    """Says what there is no conversion for."""


class Converter:
    """One conversion; `run` has the result."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.graph = model.graph
        self.weights = {t.name: numpy_helper.to_array(t) for t in self.graph.initializer}
        for node in self.graph.node:
            if node.op_type == "Constant":
                self.weights[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        self.uses = Counter(name for node in self.graph.node for name in node.input)
        self.out = Writer()
        self.tensors: dict[str, int] = {}  # by ONNX name, NHWC
        self.producers: dict[int, schema.OperatorT] = {}
        self.nodes = [node for node in self.graph.node if node.op_type != "Constant"]
        # Where a flattened tensor was an image, its height, width and channels.
        self.images: dict[str, tuple[int, ...]] = {}
        self.not_negative: set[int] = set()

    def run(self) -> bytes:
        port = self.graph.input[0]
        _, c, h, w = (d.dim_value for d in port.type.tensor_type.shape.dim)
        x = self.tensors[port.name] = self.activation((1, h, w, c), port.name)
        position = 0
        while position < len(self.nodes):
            node = self.nodes[position]
            position += self.shuffle(position) or self.hard_swish(position) or self.one(node)
        return self.out.finish([x], [self.tensors[self.graph.output[0].name]])

    def one(self, node: onnx.NodeProto) -> int:
        """Converts one node."""
        convert = getattr(self, f"op_{node.op_type.lower()}", None)
        if convert is None:
            raise Unsupported(f"there is no conversion of {node.op_type}")
        convert(node, {a.name: helper.get_attribute_value(a) for a in node.attribute})
        return 1

    def activation(self, shape: tuple[int, ...], values: str | int | tuple[float, float]) -> int:
        """A tensor with the values that an ONNX tensor or another one of ours has, or
        that lie between two bounds."""
        del values  # float32 holds any
        return self.out.tensor(shape)

    def result(self, name: str, shape: tuple[int, ...]) -> int:
        self.tensors[name] = self.activation(shape, name)
        return self.tensors[name]

    def scalar(self, value: float) -> int:
        return self.out.constant([value])

    def emit(
        self,
        node: onnx.NodeProto,
        kind: str,
        inputs: list[int],
        shape: tuple[int, ...],
        options: str | None = None,
        **fields: object,
    ) -> int:
        """An operator with the node's output as its result."""
        y = self.result(node.output[0], shape)
        self.producers[y] = self.out.operator(kind, inputs, [y], options, **fields)
        return y

    # --- layers with weights ------------------------------------------------------

    def parameters(self, x: int, weight: np.ndarray, bias: np.ndarray, axis: int) -> list[int]:
        """The weight, with the output channels along `axis`, and the bias of a layer
        whose input is `x`."""
        del x, axis
        return [self.out.constant(weight), self.out.constant(bias)]

    def op_conv(self, node: onnx.NodeProto, attributes: dict) -> None:
        weight = self.weights[node.input[1]].astype(np.float32)
        bias = self.weights[node.input[2]].astype(np.float32)
        groups, strides = attributes.get("group", 1), attributes.get("strides", [1, 1])
        if attributes.get("dilations", [1, 1]) != [1, 1]:
            raise Unsupported("there is no conversion of dilation")
        x, size, padding = self.padded(
            self.tensors[node.input[0]], attributes.get("pads", [0] * 4), weight.shape[2:], strides
        )
        channels = self.out.shape(x)[3]
        fields = {"padding": padding, "strideH": strides[0], "strideW": strides[1]}
        fields |= {"dilationHFactor": 1, "dilationWFactor": 1}
        if groups == 1:
            kind, options, axis = "CONV_2D", "Conv2DOptions", 0
            weight = weight.transpose(0, 2, 3, 1)
        elif groups == channels == len(weight):
            kind, options, axis = "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", 3
            weight, fields["depthMultiplier"] = weight.transpose(1, 2, 3, 0), 1
        else:
            raise Unsupported(f"there is no conversion of {groups} groups")
        inputs = [x, *self.parameters(x, weight, bias, axis)]
        self.emit(node, kind, inputs, (1, *size, len(bias)), options, **fields)

    def op_gemm(self, node: onnx.NodeProto, attributes: dict) -> None:
        weight = self.weights[node.input[1]].astype(np.float32)
        weight = weight if attributes.get("transB", 0) else weight.T
        if node.input[0] in self.images:
            h, w, c = self.images[node.input[0]]
            weight = weight.reshape(-1, c, h, w).transpose(0, 2, 3, 1).reshape(len(weight), -1)
        bias = self.weights[node.input[2]].astype(np.float32)
        x = self.tensors[node.input[0]]
        inputs = [x, *self.parameters(x, weight, bias, 0)]
        self.emit(node, "FULLY_CONNECTED", inputs, (1, len(bias)), "FullyConnectedOptions")

    def op_dequantizelinear(self, node: onnx.NodeProto, attributes: dict) -> None:
        """Of weights only: they are stored as they are used."""
        if not all(name in self.weights for name in node.input):
            raise Unsupported("there is no conversion of quantized activations")
        steps, scale, zero = (self.weights[name].astype(np.float32) for name in node.input)
        shape = [1] * steps.ndim
        shape[attributes.get("axis", 1)] = -1
        widened = (steps - zero.reshape(shape)) * scale.reshape(shape)
        self.weights[node.output[0]] = widened.astype(np.float32)

    def op_cast(self, node: onnx.NodeProto, _: dict) -> None:
        """Of weights only, likewise."""
        if node.input[0] not in self.weights:
            raise Unsupported("there is no conversion of Cast")
        self.weights[node.output[0]] = self.weights[node.input[0]].astype(np.float32)

    # --- windows ------------------------------------------------------------------

    def padded(
        self, x: int, pads: list[int], kernel: tuple[int, int], strides: list[int]
    ) -> tuple[int, tuple[int, int], int]:
        """The tensor to take windows of, the size of the result and the padding
        that is left to the operator."""
        _, h, w, c = self.out.shape(x)
        size, same = [], []
        for n, k, s, begin, end in zip((h, w), kernel, strides, pads[:2], pads[2:]):
            size.append((n + begin + end - k) // s + 1)
            outputs = -(-n // s)
            total = max((outputs - 1) * s + k - n, 0)
            same.append((size[-1], begin, end) == (outputs, total // 2, total - total // 2))
        if all(same):
            return x, tuple(size), Padding.SAME
        if any(pads):
            top, left, bottom, right = pads
            amounts = self.out.constant([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
            y = self.activation((1, h + top + bottom, w + left + right, c), x)
            self.out.operator("PAD", [x, amounts], [y], "PadOptions")
            x = y
        return x, tuple(size), Padding.VALID

    def pool(self, node: onnx.NodeProto, attributes: dict, kind: str) -> None:
        kernel, pads = attributes["kernel_shape"], attributes.get("pads", [0] * 4)
        strides = attributes.get("strides", [1, 1])
        x = self.tensors[node.input[0]]
        if any(pads) and not (kind == "MAX_POOL_2D" and x in self.not_negative):
            raise Unsupported("there is no conversion of a padded pool of this kind")
        x, size, padding = self.padded(x, pads, kernel, strides)
        shape = (1, *size, self.out.shape(x)[3])
        fields = {"padding": padding, "strideH": strides[0], "strideW": strides[1]}
        fields |= {"filterHeight": kernel[0], "filterWidth": kernel[1]}
        self.emit(node, kind, [x], shape, "Pool2DOptions", **fields)

    def op_maxpool(self, node: onnx.NodeProto, attributes: dict) -> None:
        # After a ReLU a padding of zeros is as good as one of minus infinity.
        # In models/zoo `ceil_mode` never adds a window.
        self.pool(node, attributes, "MAX_POOL_2D")

    def op_averagepool(self, node: onnx.NodeProto, attributes: dict) -> None:
        self.pool(node, attributes, "AVERAGE_POOL_2D")

    def op_globalaveragepool(self, node: onnx.NodeProto, _: dict) -> None:
        self.mean(node, keep=True)

    def op_reducemean(self, node: onnx.NodeProto, attributes: dict) -> None:
        if attributes["axes"] != [2, 3]:
            raise Unsupported("there is no conversion of a mean over other axes than an image's")
        self.mean(node, keep=bool(attributes["keepdims"]))

    def mean(self, node: onnx.NodeProto, keep: bool) -> None:
        x = self.tensors[node.input[0]]
        c = self.out.shape(x)[3]
        inputs = [x, self.out.constant([1, 2], np.int32)]
        shape = (1, 1, 1, c) if keep else (1, c)
        self.emit(node, "MEAN", inputs, shape, "ReducerOptions", keepDims=keep)

    # --- elements -----------------------------------------------------------------

    def clamp(self, node: onnx.NodeProto, activation: int, kind: str) -> None:
        """Fused into the operator before where that has no other reader."""
        x = self.tensors[node.input[0]]
        producer = self.producers.get(x)
        fused = getattr(getattr(producer, "builtinOptions", None), "fusedActivationFunction", None)
        if self.uses[node.input[0]] == 1 and fused == Activation.NONE:
            producer.builtinOptions.fusedActivationFunction = activation
            self.fuse(x, node.output[0])
        else:
            x = self.emit(node, kind, [x], self.out.shape(x))
        self.not_negative.add(x)

    def fuse(self, x: int, name: str) -> None:
        """From now on `x` has the values of this ONNX tensor."""
        self.tensors[name] = x

    def op_relu(self, node: onnx.NodeProto, _: dict) -> None:
        self.clamp(node, Activation.RELU, "RELU")

    def op_clip(self, node: onnx.NodeProto, _: dict) -> None:
        bounds = [float(self.weights[name]) for name in node.input[1:]]
        if bounds != [0, 6]:
            raise Unsupported(f"there is no conversion of a clip to {bounds}")
        self.clamp(node, Activation.RELU6, "RELU6")

    def op_sigmoid(self, node: onnx.NodeProto, _: dict) -> None:
        x = self.tensors[node.input[0]]
        self.emit(node, "LOGISTIC", [x], self.out.shape(x))

    def op_hardswish(self, node: onnx.NodeProto, _: dict) -> None:
        x = self.tensors[node.input[0]]
        self.emit(node, "HARD_SWISH", [x], self.out.shape(x), "HardSwishOptions")

    def op_hardsigmoid(self, node: onnx.NodeProto, attributes: dict) -> None:
        if abs(attributes["alpha"] - 1 / 6) > 1e-6 or attributes.get("beta", 0.5) != 0.5:
            raise Unsupported("there is no conversion of a hard sigmoid of another slope")
        x = self.tensors[node.input[0]]
        shape = self.out.shape(x)
        y = self.activation(shape, (0, 6))
        three, sixth = self.scalar(3.0), self.scalar(1 / 6)
        relu6 = {"fusedActivationFunction": Activation.RELU6}
        self.out.operator("ADD", [x, three], [y], "AddOptions", **relu6)
        self.emit(node, "MUL", [y, sixth], shape, "MulOptions")

    def binary(self, node: onnx.NodeProto, kind: str, options: str) -> None:
        inputs = [self.tensors[name] for name in node.input]
        shape = max((self.out.shape(x) for x in inputs), key=np.prod)
        self.emit(node, kind, inputs, shape, options)

    def op_add(self, node: onnx.NodeProto, _: dict) -> None:
        self.binary(node, "ADD", "AddOptions")

    def op_mul(self, node: onnx.NodeProto, _: dict) -> None:
        self.binary(node, "MUL", "MulOptions")

    # --- layout -------------------------------------------------------------------

    def op_concat(self, node: onnx.NodeProto, attributes: dict) -> None:
        inputs = [self.tensors[name] for name in node.input]
        shapes = [self.out.shape(x) for x in inputs]
        if attributes["axis"] != 1 or len(shapes[0]) != 4:
            raise Unsupported("there is no conversion of joining along another axis than channels")
        shape = (*shapes[0][:3], sum(shape[3] for shape in shapes))
        self.emit(node, "CONCATENATION", inputs, shape, "ConcatenationOptions", axis=3)

    def op_split(self, node: onnx.NodeProto, attributes: dict) -> None:
        x = self.tensors[node.input[0]]
        *image, c = self.out.shape(x)
        count = len(node.output)
        sizes = list(self.weights[node.input[1]]) if len(node.input) > 1 else [c // count] * count
        if attributes.get("axis") != 1 or sizes != [c // count] * count:
            raise Unsupported("there is no conversion of splitting anything but channels evenly")
        outputs = [self.result(name, (*image, c // count)) for name in node.output]
        inputs = [self.out.constant(3, np.int32), x]
        self.out.operator("SPLIT", inputs, outputs, "SplitOptions", numSplits=count)

    def op_slice(self, node: onnx.NodeProto, _: dict) -> None:
        """Of a vector only: a part of the scores."""
        x = self.tensors[node.input[0]]
        start, end, axis, *step = (self.weights[name].tolist() for name in node.input[1:])
        if len(self.out.shape(x)) != 2 or axis not in ([1], [-1]) or step not in ([], [[1]]):
            raise Unsupported("there is no conversion of slicing anything but a vector")
        _, count = self.out.shape(x)
        first, last, _ = slice(start[0], end[0]).indices(count)
        bounds = [self.out.constant(pair, np.int32) for pair in ([0, first], [1, last], [1, 1])]
        self.emit(node, "STRIDED_SLICE", [x, *bounds], (1, last - first), "StridedSliceOptions")

    def reshaped(self, x: int, shape: list[int]) -> int:
        y = self.activation(tuple(shape), x)
        inputs = [x, self.out.constant(shape, np.int32)]
        self.out.operator("RESHAPE", inputs, [y], "ReshapeOptions", newShape=shape)
        return y

    def op_flatten(self, node: onnx.NodeProto, _: dict) -> None:
        x = self.tensors[node.input[0]]
        shape = self.out.shape(x)
        self.tensors[node.output[0]] = self.reshaped(x, [1, int(np.prod(shape))])
        if len(shape) == 4 and shape[1] * shape[2] > 1:
            self.images[node.output[0]] = shape[1:]

    def op_identity(self, node: onnx.NodeProto, _: dict) -> None:
        self.tensors[node.output[0]] = self.tensors[node.input[0]]

    # --- several nodes at once ----------------------------------------------------

    def shuffle(self, position: int) -> int:
        """Reshape, Transpose, Reshape: a channel shuffle. Nodes converted, or 0."""
        nodes = self.nodes[position : position + 3]
        if [node.op_type for node in nodes] != ["Reshape", "Transpose", "Reshape"]:
            return 0
        first, swap, last = nodes
        x = self.tensors[first.input[0]]
        _, h, w, c = self.out.shape(x)
        _, groups, *rest = (int(n) for n in self.weights[first.input[1]])
        perm = helper.get_attribute_value(swap.attribute[0])
        if rest != [c // groups, h, w] or perm != [0, 2, 1, 3, 4]:
            raise Unsupported("there is no conversion of this Reshape, Transpose, Reshape")
        x = self.reshaped(x, [h, w, groups, c // groups])
        y = self.activation((h, w, c // groups, groups), x)
        inputs = [x, self.out.constant([0, 1, 3, 2], np.int32)]
        self.out.operator("TRANSPOSE", inputs, [y], "TransposeOptions")
        self.tensors[last.output[0]] = self.reshaped(y, [1, h, w, c])
        return 3

    def hard_swish(self, position: int) -> int:
        """HardSigmoid and a product with its input. Nodes converted, or 0."""
        nodes = self.nodes[position : position + 2]
        if [node.op_type for node in nodes] != ["HardSigmoid", "Mul"]:
            return 0
        gate, product = nodes
        if set(product.input) != {gate.input[0], gate.output[0]}:
            return 0
        x = self.tensors[gate.input[0]]
        self.emit(product, "HARD_SWISH", [x], self.out.shape(x), "HardSwishOptions")
        return 2
