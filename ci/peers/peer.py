#!/usr/bin/env python3
"""One peer with one network, as a process that runs on command.

    peer.py ort|litert|ncnn|ort_int8|litert_int8 FOLDER NAME

Prints a line of JSON when the network is open, with the largest and the mean
difference from the expected output, which is float32's; then answers each line
`run N` on standard input with a line of N pairs `wall_ns:cpu_ns`, as `biglittle
bench --interactive` does. One thread.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

# Runs once, and fetches the output of the last run.
Runner = tuple[Callable[[], object], Callable[[], np.ndarray]]


def ort(network: Path, x: np.ndarray, outputs: int) -> Runner:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(
        f"{network}.onnx", options, providers=["CPUExecutionProvider"]
    )
    binding = session.io_binding()
    binding.bind_ortvalue_input(
        session.get_inputs()[0].name, onnxruntime.OrtValue.ortvalue_from_numpy(x)
    )
    y = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros((1, outputs), np.float32))
    binding.bind_ortvalue_output(session.get_outputs()[0].name, y)
    return lambda: session.run_with_iobinding(binding), y.numpy


def litert(network: Path, x: np.ndarray, _: int) -> Runner:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=f"{network}.tflite", num_threads=1)
    interpreter.allocate_tensors()
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    nhwc = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    if given["dtype"] == np.int8:
        scale, zero = given["quantization"]
        nhwc = np.clip(np.rint(nhwc / scale) + zero, -128, 127).astype(np.int8)
    interpreter.set_tensor(given["index"], nhwc)

    def fetch() -> np.ndarray:
        y = interpreter.get_tensor(made["index"])
        scale, zero = made["quantization"]
        return (y.astype(np.float32) - zero) * scale if y.dtype == np.int8 else y

    return interpreter.invoke, fetch


def ncnn(network: Path, x: np.ndarray, _: int) -> Runner:
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads, net.opt.use_vulkan_compute = 1, False
    for option in ("fp16_storage", "fp16_packed", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, f"use_{option}", False)
    if net.load_param(f"{network}.ncnn.param"):
        raise ValueError("ncnn cannot read the network")
    net.load_model(f"{network}.ncnn.bin")
    mat = ncnn.Mat(x[0]).clone()
    from_name, to_name = net.input_names()[0], net.output_names()[0]
    last = [mat]

    def run() -> None:
        extractor = net.create_extractor()
        extractor.input(from_name, mat)
        last[0] = extractor.extract(to_name)[1]

    return run, lambda: np.array(last[0])


def main() -> None:
    key, folder, name = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    expected = np.fromfile(folder / f"{name}.output", "<f4")
    line = next(
        line.split("\t")
        for line in (folder / "zoo.tsv").read_text().splitlines()
        if line.startswith(f"{name}\t")
    )
    channels, side = int(line[1]), int(line[2])
    x = np.fromfile(folder / f"{name}.input", "<f4").reshape(1, channels, side, side)
    kind = key.removesuffix("_int8")
    network = folder / (name if kind == key else f"{name}.int8")
    run, fetch = {"ort": ort, "litert": litert, "ncnn": ncnn}[kind](network, x, expected.size)
    run()
    differences = np.abs(np.asarray(fetch()).ravel() - expected)
    loaded = {"network": name, "runtime": key}
    loaded |= {"difference": float(differences.max()), "mean_difference": float(differences.mean())}
    print(json.dumps(loaded), flush=True)
    gc.collect()
    gc.freeze()
    wall, cpu = time.perf_counter_ns, time.thread_time_ns
    for command in sys.stdin:
        match command.split():
            case ["run", count]:
                pairs = []
                for _ in range(int(count)):
                    cpu_before, before = cpu(), wall()
                    run()
                    after, cpu_after = wall(), cpu()
                    pairs.append(f"{after - before}:{cpu_after - cpu_before}")
                print(" ".join(pairs), flush=True)
            case _:
                return


if __name__ == "__main__":
    main()
