"""Networks whose weights are stored in 8 bits and widened when they are opened."""

import numpy as np
import onnx
from onnx import helper, numpy_helper


def int8_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with weights of convolutions and matrix products in int8,
    scaled per output channel, each behind a DequantizeLinear."""
    graph = model.graph
    weights = {n.input[1] for n in graph.node if n.op_type in ("Conv", "Gemm")}
    kept = [t for t in graph.initializer if t.name not in weights]
    nodes = []
    for tensor in graph.initializer:
        if tensor.name not in weights:
            continue
        name, weight = tensor.name, numpy_helper.to_array(tensor)
        rest = tuple(range(1, weight.ndim))
        scale = (np.abs(weight).max(rest) / 127).astype(np.float32)
        steps = np.rint(weight / np.expand_dims(scale, rest)).astype(np.int8)
        zero = np.zeros(len(scale), np.int8)
        parts = {f"{name}.steps": steps, f"{name}.scale": scale, f"{name}.zero": zero}
        kept += [numpy_helper.from_array(value, part) for part, value in parts.items()]
        nodes.append(helper.make_node("DequantizeLinear", list(parts), [name], axis=0))
    nodes += graph.node
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    return model
