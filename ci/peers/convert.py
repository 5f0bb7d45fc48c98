#!/usr/bin/env python3
"""Converts the networks of a folder for LiteRT and ncnn, or to int8 for all.

    convert.py FOLDER [NAME...] [--int8 BIGLITTLE]

Writes NAME.tflite and NAME.ncnn.param and .bin beside NAME.onnx, or with --int8
NAME.tflite, NAME.int8.onnx, .tflite and .biglittle; and what could not be
converted, with the reason, to conversions.json.
"""

import argparse
import importlib.util
import json
import subprocess
from functools import partial
from pathlib import Path

import onnx

import int8
from onnx_to_tflite import Converter, Unsupported


def to_tflite(folder: Path, name: str) -> None:
    model = onnx.load(folder / f"{name}.onnx")
    (folder / f"{name}.tflite").write_bytes(Converter(model).run())


def to_ncnn(folder: Path, name: str) -> None:
    # The package is a program and a module that wants torch, which the program
    # does not.
    pnnx = Path(importlib.util.find_spec("pnnx").origin).parent / "pnnx"
    shape = onnx.load(folder / f"{name}.onnx").graph.input[0].type.tensor_type.shape
    sides = ",".join(str(d.dim_value) for d in shape.dim)
    done = subprocess.run(
        [pnnx, f"{name}.onnx", f"inputshape=[{sides}]", "fp16=0"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    for rest in ("pnnx.param", "pnnx.bin", "pnnx.onnx", "pnnxsim.onnx"):
        (folder / f"{name}.{rest}").unlink(missing_ok=True)
    for rest in ("pnnx", "ncnn"):
        (folder / f"{name}_{rest}.py").unlink(missing_ok=True)
    if done.returncode or not (folder / f"{name}.ncnn.bin").exists():
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Unsupported(f"pnnx failed: {lines[-1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--int8", type=Path, metavar="BIGLITTLE", help="to int8, by this program")
    options = parser.parse_args()
    lines = (options.folder / "zoo.tsv").read_text().splitlines()
    names = options.names or [line.split("\t")[0] for line in lines]
    conversions = {"litert": to_tflite, "ncnn": to_ncnn}
    if options.int8:
        conversions = {
            "litert": to_tflite,
            "ort_int8": int8.to_onnx,
            "litert_int8": int8.to_tflite,
            "ours_int8": partial(int8.to_bundle, options.int8),
        }
    failed: dict[str, dict[str, str]] = {}
    for name in names:
        for peer, convert in conversions.items():
            try:
                convert(options.folder, name)
            except Unsupported as why:
                failed.setdefault(name, {})[peer] = str(why)
                print(f"{name} for {peer}: {why}")
    (options.folder / "conversions.json").write_text(json.dumps(failed, indent=1))


if __name__ == "__main__":
    main()
