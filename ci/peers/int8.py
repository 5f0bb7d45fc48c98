"""A network in int8 for each runtime, all with ranges from the same images.

The images are noise, as the networks' test inputs are. Pixels are normalised as
EfficientNet-Lite's are, (x - 127) / 128, with which a pixel is the quantized
input as it is.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnxruntime import quantization
from PIL import Image

from onnx_to_tflite import Unsupported
from onnx_to_tflite_int8 import Int8Converter

MEAN, STD = 127.0, 128.0
# For ranges; `biglittle quantize` wants others besides to judge the result on.
RANGE_IMAGES, IMAGES = 64, 80


class Inputs(quantization.CalibrationDataReader):
    """The images for ranges as inputs of a network."""

    def __init__(self, model: onnx.ModelProto) -> None:
        images = noise(*input_shape(model))[:RANGE_IMAGES]
        inputs = ((images.transpose(0, 3, 1, 2) - np.float32(MEAN)) / np.float32(STD))[:, None]
        self.left = iter([{model.graph.input[0].name: x} for x in inputs])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.left, None)


def input_shape(model: onnx.ModelProto) -> tuple[int, int]:
    """Channels and side."""
    shape = model.graph.input[0].type.tensor_type.shape
    return shape.dim[1].dim_value, shape.dim[2].dim_value


def noise(channels: int, side: int) -> np.ndarray:
    """Images of random bytes, [images, side, side, channels]."""
    shape = (IMAGES, side, side, channels)
    return np.random.default_rng([channels, side]).integers(0, 256, shape, np.uint8)


def to_onnx(folder: Path, name: str) -> None:
    """By ONNX Runtime's own tools as its documentation has it: preprocessed, then with
    QuantizeLinear and DequantizeLinear around all that can be run in int8."""
    path, prepared = folder / f"{name}.onnx", folder / f"{name}.prepared.onnx"
    quantization.quant_pre_process(path, prepared)
    quantization.quantize_static(
        prepared,
        folder / f"{name}.int8.onnx",
        Inputs(onnx.load(path)),
        quant_format=quantization.QuantFormat.QDQ,
        calibrate_method=quantization.CalibrationMethod.MinMax,
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
    )
    prepared.unlink()


def to_tflite(folder: Path, name: str) -> None:
    path = folder / f"{name}.onnx"
    model = onnx.load(path)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        calibrator = quantization.create_calibrator(
            path, None, augmented_model_path=f"{scratch}/model.onnx"
        )
        calibrator.collect_data(Inputs(model))
        found = calibrator.compute_data().data
    ranges = {
        tensor: tuple(float(bound) for bound in data.range_value) for tensor, data in found.items()
    }
    (folder / f"{name}.int8.tflite").write_bytes(Int8Converter(model, ranges).run())


def to_bundle(biglittle: Path, folder: Path, name: str) -> None:
    """NAME.int8.biglittle and what `quantize` says of it, NAME.int8.json."""
    channels, side = input_shape(onnx.load(folder / f"{name}.onnx"))
    images = folder / f"images-{channels}x{side}"
    if not images.exists():
        images.mkdir()
        for number, pixels in enumerate(noise(channels, side)):
            Image.fromarray(pixels.squeeze()).save(images / f"{number:03}.png")
    draft, packed = folder / f"{name}.draft", folder / f"{name}.biglittle"
    write_draft(draft, folder / f"{name}.onnx", channels, side, outputs(folder, name).size)
    written = folder / f"{name}.int8.biglittle"
    for bundle in (packed, written):
        bundle.unlink(missing_ok=True)
    run([biglittle, "pack", draft, "-o", packed])
    options = ["--split", "90,5,5", "--images", RANGE_IMAGES, "--json"]
    report = run([biglittle, "quantize", "-b", packed, "-d", images, "-o", written, *options])
    (folder / f"{name}.int8.json").write_text(report)
    shutil.rmtree(draft)


def write_draft(draft: Path, network: Path, channels: int, side: int, classes: int) -> None:
    """A folder for `biglittle pack`, with the network as its only one."""
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    (draft / network.name).hardlink_to(network)
    (draft / "labels.txt").write_text("".join(f"{label}\n" for label in range(classes)))
    provenance = {
        "authors": "The biglittle authors",
        "licence": "MIT OR Apache-2.0",
        "source": "models/zoo",
    }
    prepared = {
        "width": side,
        "height": side,
        "channels": "gray" if channels == 1 else "rgb",
        "fit": "stretch",
        "filter": "bilinear",
        "mean": [MEAN] * channels,
        "std": [STD] * channels,
    }
    spec = {
        "id": network.stem,
        "file": {"path": network.name},
        "input": prepared,
        "output": {"kind": "logits"},
        "provenance": provenance,
    }
    manifest = {
        "format_version": 1,
        "name": network.stem,
        "version": "1",
        "description": "To be measured, not to recognise anything.",
        "labels": {"path": "labels.txt"},
        "networks": [spec],
        "levels": [{"name": network.stem, "networks": [network.stem]}],
        "provenance": provenance,
    }
    (draft / "manifest.json").write_text(json.dumps(manifest, indent=1))


def run(words: Iterable[object]) -> str:
    """A program's standard output."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Unsupported(lines[-1])
    return done.stdout


def outputs(folder: Path, name: str) -> np.ndarray:
    """What the float32 network makes of its test input."""
    return np.fromfile(folder / f"{name}.output", "<f4")
