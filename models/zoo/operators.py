#!/usr/bin/env python3
"""Writes the node tests of the `onnx` package as networks with one float input.

    operators.py OUT

Of each test whose operators are all in OPERATORS, the first input becomes the
network's input and the others become weights, as they are in a real network.
Where they are not one image or vector in and one out, input and outputs are
reshaped to rows of a batch of 1 and the outputs joined: the operator itself stays
as it is. Tests whose first input or whose outputs are not float32 are left out
and counted.

Writes OUT/NAME.onnx, NAME.input and NAME.output (little-endian f32), and a line
in OUT/operators.tsv: name, operator.
"""

import argparse
import collections
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Those of the library's guard that take and give floats.
OPERATORS = """
    Abs Add AveragePool BatchNormalization Cast Ceil Clip Concat Constant ConstantOfShape Conv Div
    Dropout Elu Equal Erf Exp Expand Flatten Floor Gather Gemm GlobalAveragePool GlobalMaxPool
    HardSigmoid HardSwish Identity LRN LeakyRelu Log LogSoftmax MatMul Max MaxPool Min Mul Neg Not
    PRelu Pad Pow Reciprocal ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape Resize Shape
    Sigmoid Slice Softmax Softplus Split Sqrt Squeeze Sub Sum Tanh Tile Transpose Unsqueeze
"""
# Later versions of these operators only take more types.
NEWEST_OPSET = 21


class LeftOut(Exception):
    """A test that is not of a network with float input and output; says why."""


def tensors(folder: Path, kind: str, count: int) -> list[np.ndarray]:
    """The inputs or outputs of a test's data set."""
    found = []
    for index in range(count):
        path = folder / "test_data_set_0" / f"{kind}_{index}.pb"
        try:
            found.append(numpy_helper.to_array(onnx.load_tensor(path)))
        except Exception as error:
            raise LeftOut(f"an {kind} is no tensor of numbers") from error
    return found


def rows(name: str, size: int) -> tuple[onnx.TensorProto, onnx.ValueInfoProto]:
    """The shape of `size` values as one row, and a port of that shape."""
    shape = numpy_helper.from_array(np.array([1, size], np.int64), f"{name}.row")
    return shape, helper.make_tensor_value_info(f"{name}.flat", TensorProto.FLOAT, [1, size])


def convert(folder: Path) -> tuple[onnx.ModelProto, np.ndarray, np.ndarray]:
    """The network of one test, its input and its output."""
    model = onnx.load(folder / "model.onnx")
    graph = model.graph
    values = tensors(folder, "input", len(graph.input))
    outputs = tensors(folder, "output", len(graph.output))
    if any(value.dtype != np.float32 for value in outputs):
        raise LeftOut("an output is not float32")
    if not values or values[0].dtype != np.float32 or not values[0].size:
        raise LeftOut("the first input is not float32")
    x, port = values[0], graph.input[0]
    for value, other in zip(values[1:], graph.input[1:]):
        graph.initializer.append(numpy_helper.from_array(value, other.name))
    del graph.input[:]
    y = np.concatenate([value.ravel() for value in outputs])
    is_batch = [value.ndim in (2, 4) and len(value) == 1 for value in (x, *outputs)]
    if is_batch == [True, True]:
        graph.input.append(port)
    else:
        shape = numpy_helper.from_array(np.array(x.shape, np.int64), f"{port.name}.shape")
        _, flat = rows(port.name, x.size)
        graph.initializer.append(shape)
        graph.input.append(flat)
        nodes = [helper.make_node("Reshape", [flat.name, shape.name], [port.name]), *graph.node]
        joined = []
        for value, output in zip(outputs, graph.output):
            flat_shape, flat = rows(output.name, value.size)
            graph.initializer.append(flat_shape)
            nodes.append(helper.make_node("Reshape", [output.name, flat_shape.name], [flat.name]))
            joined.append(flat.name)
        _, result = rows("joined", y.size)
        nodes.append(helper.make_node("Concat", joined, [result.name], axis=1))
        del graph.node[:], graph.output[:]
        graph.node.extend(nodes)
        graph.output.append(result)
    for opset in model.opset_import:
        opset.version = min(opset.version, NEWEST_OPSET)
    model.ir_version = min(model.ir_version, 10)
    return model, x, y


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="the folder to write, which is emptied first")
    out = parser.parse_args().out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    lines, left_out = [], collections.Counter()
    operators = set(OPERATORS.split())
    data = Path(onnx.__file__).parent / "backend/test/data/node"
    for folder in sorted(data.iterdir()):
        nodes = onnx.load(folder / "model.onnx").graph.node
        if not nodes or any(n.domain or n.op_type not in operators for n in nodes):
            continue
        try:
            model, x, y = convert(folder)
        except LeftOut as why:
            left_out[str(why)] += 1
            continue
        name = folder.name.removeprefix("test_")
        onnx.save(model, out / f"{name}.onnx")
        x.astype("<f4").tofile(out / f"{name}.input")
        y.astype("<f4").tofile(out / f"{name}.output")
        operator = nodes[0].op_type if len(nodes) == 1 else "several"
        lines.append(f"{name}\t{operator}\n")
    (out / "operators.tsv").write_text("".join(lines))
    print(f"{len(lines)} node tests of onnx {onnx.__version__}")
    for why, count in left_out.items():
        print(f"{count} left out: {why}")


if __name__ == "__main__":
    main()
