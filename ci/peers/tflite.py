"""Writes TensorFlow Lite files: tensors, operators and the flatbuffer around them."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

Op = schema.BuiltinOperator
TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
}


class Writer:
    """One graph; a tensor is known by its index, and is of float32 until it is
    quantized."""

    def __init__(self) -> None:
        self.buffers = [schema.BufferT()]  # the first one stays empty
        self.tensors: list[schema.TensorT] = []
        self.operators: list[schema.OperatorT] = []
        self.codes: list[int] = []

    def tensor(self, shape: tuple[int, ...], data: np.ndarray | None = None) -> int:
        """An activation, or a constant with `data`."""
        tensor = schema.TensorT()
        tensor.name = f"t{len(self.tensors)}"
        tensor.shape = [int(n) for n in shape]
        tensor.type, tensor.buffer = schema.TensorType.FLOAT32, 0
        if data is not None:
            tensor.type = TYPES[data.dtype]
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            tensor.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, values: object, dtype: type = np.float32) -> int:
        data = np.asarray(values, dtype)
        return self.tensor(data.shape, data)

    def quantize(self, tensor: int, scales: list[float], zeros: list[int], axis: int = 0) -> None:
        """Says what a tensor's integers are: one scale and zero for all, or one each
        along `axis`. An activation becomes int8."""
        parameters = schema.QuantizationParametersT()
        parameters.scale, parameters.zeroPoint = scales, zeros
        parameters.quantizedDimension = axis
        self.tensors[tensor].quantization = parameters
        if self.tensors[tensor].type == schema.TensorType.FLOAT32:
            self.tensors[tensor].type = schema.TensorType.INT8

    def quantization(self, tensor: int) -> tuple[float, int]:
        """The one scale and zero of a quantized tensor."""
        parameters = self.tensors[tensor].quantization
        return parameters.scale[0], parameters.zeroPoint[0]

    def shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(self.tensors[tensor].shape)

    def operator(
        self,
        name: str,
        inputs: list[int],
        outputs: list[int],
        options: str | None,
        **fields: object,
    ) -> schema.OperatorT:
        """Adds an operator; `options` is the name of the schema's table for `fields`."""
        code = getattr(Op, name)
        if code not in self.codes:
            self.codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = self.codes.index(code)
        operator.inputs, operator.outputs = inputs, outputs
        if options:
            table = getattr(schema, f"{options}T")()
            for field, value in fields.items():
                if not hasattr(table, field):
                    raise AttributeError(f"{options} has no {field}")
                setattr(table, field, value)
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            operator.builtinOptions = table
        self.operators.append(operator)
        return operator

    def finish(self, inputs: list[int], outputs: list[int]) -> bytes:
        """The file's bytes."""
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs, graph.name = inputs, outputs, "main"
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.operatorCodes = []
        for number in self.codes:
            code = schema.OperatorCodeT()
            code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), 1
            model.operatorCodes.append(code)
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
