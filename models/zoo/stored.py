"""Networks whose weights are stored in fewer bits and widened when they are opened."""

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper


def float16(name: str, weight: np.ndarray) -> tuple[dict[str, np.ndarray], NodeProto]:
    """In half precision, behind a Cast."""
    half = f"{name}.half"
    return {half: weight.astype(np.float16)}, helper.make_node(
        "Cast", [half], [name], to=TensorProto.FLOAT
    )


def int8(name: str, weight: np.ndarray) -> tuple[dict[str, np.ndarray], NodeProto]:
    """In 8 bits scaled per output channel, behind a DequantizeLinear."""
    rest = tuple(range(1, weight.ndim))
    scale = (np.abs(weight).max(rest) / 127).astype(np.float32)
    steps = np.rint(weight / np.expand_dims(scale, rest)).astype(np.int8)
    zero = np.zeros(len(scale), np.int8)
    parts = {f"{name}.steps": steps, f"{name}.scale": scale, f"{name}.zero": zero}
    return parts, helper.make_node("DequantizeLinear", list(parts), [name], axis=0)


FORMS = {"float16": float16, "int8": int8}


def with_weights_in(form: str, model: onnx.ModelProto) -> onnx.ModelProto:
    """The network with the weights of its convolutions and matrix products in a form."""
    graph = model.graph
    weights = {n.input[1] for n in graph.node if n.op_type in ("Conv", "Gemm")}
    kept = [t for t in graph.initializer if t.name not in weights]
    nodes = []
    for tensor in graph.initializer:
        if tensor.name in weights:
            parts, node = FORMS[form](tensor.name, numpy_helper.to_array(tensor))
            kept += [numpy_helper.from_array(value, name) for name, value in parts.items()]
            nodes.append(node)
    nodes += graph.node
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    return model
