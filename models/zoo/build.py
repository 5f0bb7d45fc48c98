#!/usr/bin/env python3
"""Writes the networks, each with an input and ONNX Runtime's output for it.

    build.py OUT [--only NAME...] [--models FOLDER] [--stored FORM...]

For each network: OUT/NAME.onnx, NAME.input and NAME.output (little-endian f32),
and a line in OUT/zoo.tsv: name, channels and side of the input, values of the
output. FOLDER has further ONNX files, which are treated like the others;
--stored adds networks whose weights are stored in fewer bits (int8, float16).
"""

import argparse
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

import classics
import mobilenets
from net import Net, Tensor
from stored import FORMS, with_weights_in

MNIST = Path(__file__).parents[1] / "mnist/bundle"

# Builder, parameters and multiply-accumulates as published. Parameters exactly,
# where somebody counts them as we do: torchvision, PyTorch's example, Keras
# for MobileNet v1 (the trainable ones) and EfficientNet-Lite. Products to half a percent.
Builder = Callable[[], tuple[Net, Tensor]]
ZOO: list[tuple[Builder, int | None, float]] = [
    (mobilenets.efficientnet_lite0, 4_652_008, 385e6),
    (mobilenets.efficientnet_b0, 5_288_548, 386e6),
    (mobilenets.mobilenet_v1_025, 470_072, 41e6),
    (mobilenets.mobilenet_v2, 3_504_872, 301e6),
    (mobilenets.mobilenet_v3_small, 2_542_856, 56.5e6),
    (mobilenets.mobilenet_v3_large, 5_483_032, 217e6),
    (classics.squeezenet, 1_235_496, 349e6),
    (classics.shufflenet, 1_366_792, 40.5e6),
    (classics.resnet8, None, 12.5e6),
    (classics.resnet20, None, 40.8e6),
    (classics.resnet18, 11_689_512, 1814e6),
    (classics.lenet, 1_199_882, 12e6),
    (classics.lenet_5x5, None, 12.3e6),
    (classics.mlp, None, 0.235e6),
]


def seeded(build: Builder, parameters: int | None, macs: float) -> onnx.ModelProto:
    """One of the zoo, compared with what is published about it."""
    net, output = build()
    if parameters not in (None, net.parameters):
        sys.exit(f"{net.name} has {net.parameters} parameters, published are {parameters}")
    if abs(net.macs / macs - 1) > 0.005:
        sys.exit(f"{net.name} has {net.macs} multiply-accumulates, published are {macs:.0f}")
    model = net.finish(output)
    difference = np.abs(run(model, net.input.value) - output.value).max()
    if not difference < 1e-3:
        sys.exit(f"{net.name}: numpy and ONNX Runtime differ by {difference}")
    return model


def given(path: Path) -> onnx.ModelProto:
    """A file with a batch of one."""
    model = onnx.load(path)
    for port in [*model.graph.input, *model.graph.output]:
        port.type.tensor_type.shape.dim[0].dim_value = 1
    return model


def networks(options: argparse.Namespace) -> dict[str, Callable[[], onnx.ModelProto]]:
    """How to make each network, by name."""
    known = {entry[0].__name__: partial(seeded, *entry) for entry in ZOO}
    for part in ("little", "big"):
        known[f"mnist_{part}"] = partial(given, MNIST / f"{part}.onnx")
    small = known["mobilenet_v3_small"]
    for form in options.stored:
        known[f"mobilenet_v3_small_{form}"] = lambda f=form: with_weights_in(f, small())
    if options.models:
        known |= {path.stem: partial(given, path) for path in sorted(options.models.glob("*.onnx"))}
    if not options.only:
        return known
    if unknown := set(options.only) - set(known):
        sys.exit(f"no such network: {', '.join(sorted(unknown))}")
    return {name: known[name] for name in options.only}


def run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    """ONNX Runtime's output."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def input_of(name: str, model: onnx.ModelProto) -> np.ndarray:
    """Noise of the input's shape, the same for every run of this program."""
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    rng = np.random.default_rng(list(name.encode()))
    return rng.uniform(-1, 1, shape).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="the folder to write, which is emptied first")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of these networks only")
    parser.add_argument(
        "--stored", nargs="+", choices=FORMS, default=[], help="with smaller weights too"
    )
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="has further ONNX files")
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    lines = []
    for name, make in networks(options).items():
        model = make()
        x = input_of(name, model)
        y = run(model, x)
        onnx.save(model, options.out / f"{name}.onnx")
        x.astype("<f4").tofile(options.out / f"{name}.input")
        y.astype("<f4").tofile(options.out / f"{name}.output")
        lines.append(f"{name}\t{x.shape[1]}\t{x.shape[2]}\t{y.size}\n")
        print(f"{name}: {y.size} outputs from {y.min():.2f} to {y.max():.2f}")
    # Written last: where it is, the rest is.
    (options.out / "zoo.tsv").write_text("".join(lines))


if __name__ == "__main__":
    main()
