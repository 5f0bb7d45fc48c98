"""Writes EfficientNet-Lite0, Lite1 and Lite2 as ONNX with int8 weights.

    python convert.py OUT_DIR [--float]

writes lite0.onnx, lite1.onnx and lite2.onnx to OUT_DIR, with --float in float32 instead.
Each is run by ONNX Runtime and compared with PyTorch on the same weights: the script
fails if a logit differs by more than 1e-4.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

import nets
import quantize

PARITY = 1e-4  # largest difference of a logit between ONNX Runtime and PyTorch


def difference(file: Path, module: torch.nn.Module, inputs: torch.Tensor) -> float:
    """The largest difference of a logit between the file and the module."""
    session = onnxruntime.InferenceSession(file)
    with torch.inference_mode():
        expected = module(inputs).numpy()
    found = np.concatenate([session.run(None, {"input": x[None].numpy()})[0] for x in inputs])
    return float(np.abs(found - expected).max())


def convert(name: str, folder: Path, int8: bool) -> None:
    """Writes one network and checks it."""
    module = nets.reference(name)
    # Two more than round the weights: parity is judged on pictures of its own.
    pictures = quantize.dead_leaves(nets.SIZES[name], quantize.PICTURES + 2)
    inputs = torch.from_numpy((pictures - nets.MEAN) / nets.STD)
    with torch.inference_mode():
        published = module(inputs[-2:])
    taken = quantize.quantize(module, inputs[:-2]) if int8 else {}
    file = folder / f"{name}.onnx"
    onnx.save(nets.to_onnx(module, name, taken), file)
    found = difference(file, module, inputs[-2:])
    with torch.inference_mode():
        moved = float((module(inputs[-2:]) - published).abs().max())
    print(
        f"{name}: {file.stat().st_size:,} bytes; logits differ from PyTorch on the same weights"
        f" by at most {found:.1e}, by rounding to int8 by {moved:.2f}",
        flush=True,
    )
    if not found <= PARITY:
        raise SystemExit(f"{file}: logits differ by {found:.1e}, more than {PARITY}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--float", action="store_true", help="keep all weights in float32")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name in nets.SIZES:
        convert(name, args.out, int8=not args.float)
    return 0


if __name__ == "__main__":
    sys.exit(main())
