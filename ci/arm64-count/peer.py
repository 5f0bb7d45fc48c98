"""Runs a network N times in a peer runtime, one thread, f32. On the arm64 guest:

    python3 peer.py onnxruntime|litert|ncnn FOLDER NET N

FOLDER holds NET.onnx, NET.tflite or NET.ncnn.param and NET.ncnn.bin, the input
NET.in and the expected output NET.ref (raw f32) and shapes.json. Prints the
largest difference from the expected output.
"""
import gc
import json
import sys

import numpy as np


def onnxruntime(base, x, outputs):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(base + ".onnx", options, providers=["CPUExecutionProvider"])
    # bound once, so that no run copies
    binding = session.io_binding()
    given = ort.OrtValue.ortvalue_from_numpy(x)
    result = ort.OrtValue.ortvalue_from_numpy(np.zeros((1, outputs), np.float32))
    binding.bind_ortvalue_input(session.get_inputs()[0].name, given)
    binding.bind_ortvalue_output(session.get_outputs()[0].name, result)
    return lambda: session.run_with_iobinding(binding), result.numpy


def litert(base, x, _outputs):
    from ai_edge_litert.interpreter import Interpreter
    it = Interpreter(model_path=base + ".tflite", num_threads=1)
    it.allocate_tensors()
    it.set_tensor(it.get_input_details()[0]["index"],
                  np.ascontiguousarray(x.transpose(0, 2, 3, 1)))
    return it.invoke, lambda: it.get_tensor(it.get_output_details()[0]["index"])


def ncnn(base, x, _outputs):
    import ncnn as nn
    net = nn.Net()
    net.opt.num_threads = 1
    net.opt.use_vulkan_compute = False
    for low in ("fp16_storage", "fp16_packed", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, "use_" + low, False)
    net.load_param(base + ".ncnn.param")
    net.load_model(base + ".ncnn.bin")
    mat, result = nn.Mat(x[0]).clone(), []

    def run():
        extractor = net.create_extractor()
        extractor.input(net.input_names()[0], mat)
        result[:] = [extractor.extract(net.output_names()[0])[1]]

    return run, lambda: np.array(result[0])


def main():
    runtime, folder, name, runs = sys.argv[1:]
    with open(f"{folder}/shapes.json") as f:
        channels, side = json.load(f)[name]
    base = f"{folder}/{name}"
    x = np.fromfile(base + ".in", "<f4").reshape(1, channels, side, side)
    want = np.fromfile(base + ".ref", "<f4")
    start = {"onnxruntime": onnxruntime, "litert": litert, "ncnn": ncnn}[runtime]
    run, result = start(base, x, want.size)
    gc.disable()
    for _ in range(int(runs)):
        run()
    print(float(np.abs(np.asarray(result()).ravel() - want).max()))


main()
