"""Compares biglittle's answers with those of Pillow's pixels in ONNX Runtime.

    python parity.py --photos DIR --networks DIR --trace TRACE.parquet [--samples 60]

runs the networks (lite0.onnx, lite1.onnx, lite2.onnx, with float32 weights) on photographs
that Pillow cut and resized, and prints how far the logits are from those in the trace.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow.parquet as pq
from PIL import Image

SIZES = {"lite0": 224, "lite1": 240, "lite2": 260}


def pixels(path: Path, size: int) -> np.ndarray:
    """A photograph as [1,3,size,size], normalised."""
    picture = Image.open(path).convert("RGB")
    side = int(size / (size + 32) * min(picture.size))
    left, top = ((length - side + 1) // 2 for length in picture.size)
    square = picture.crop((left, top, left + side, top + side))
    resized = square.resize((size, size), Image.Resampling.BICUBIC)
    return ((np.asarray(resized, np.float32) - 127) / 128).transpose(2, 0, 1)[None].copy()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--networks", type=Path, required=True)
    parser.add_argument("--trace", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=60)
    args = parser.parse_args()
    rows = pq.read_table(args.trace, columns=["sample", "networks"]).slice(0, args.samples)
    rows = rows.to_pylist()
    print("\n### Parity with Pillow\n\n| network | difference of logits, rms | other answers |")
    print("| --- | --- | --- |")
    for name, size in SIZES.items():
        session = onnxruntime.InferenceSession(args.networks / f"{name}.onnx")
        squares, others = [], 0
        for row in rows:
            inputs = {"input": pixels(args.photos / row["sample"], size)}
            expected = session.run(None, inputs)[0][0]
            found = np.array(row["networks"][name]["outputs"])
            squares.append(np.mean((found - expected) ** 2))
            others += int(found.argmax() != expected.argmax())
        print(f"| {name} | {np.sqrt(np.mean(squares)):.3f} | {others} of {len(rows)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
