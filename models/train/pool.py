"""Makes the pool littles learn from: distorted training digits with their teachers' answers.

    python pool.py TEACHER... --data DATA_DIR --runs RUN_DIR --out POOL.pt [--copies 8]

Copy 0 of the 50,000 digits is undistorted. The answer is the mean of the teachers'
logits. Labelling the pool once lets many littles train without running a big network.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from torch import nn

import augment
import data
import export_onnx


@torch.inference_mode()
def answers(teachers: list[nn.Module], images: torch.Tensor) -> torch.Tensor:
    """Mean logits of the teachers, in bfloat16 arithmetic."""
    parts = []
    for part in images.split(500):
        x = data.normalise(part).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            parts.append(torch.stack([t(x).float() for t in teachers]).mean(0))
    return torch.cat(parts)


def make(args: argparse.Namespace) -> None:
    """Distorts, labels and writes the pool."""
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    teachers = [
        export_onnx.load(args.runs, name).to(memory_format=torch.channels_last)
        for name in args.teachers
    ]
    (images, labels), _ = data.train_validation(args.data)
    copies, taught = [], []
    for copy in range(args.copies):
        batch = images
        if copy:
            parts = [
                augment.distort(part.float().unsqueeze(1) / 255.0).mul(255.0).round().byte()
                for part in images.split(1000)
            ]
            batch = torch.cat(parts).squeeze(1)
        copies.append(batch)
        taught.append(answers(teachers, batch))
        wrong = (taught[-1].argmax(1) != labels).float().mean().item()
        print(f"copy {copy}: teachers differ from the labels on {100 * wrong:.2f} %", flush=True)
    torch.save(
        {
            "images": torch.cat(copies),
            "logits": torch.cat(taught),
            "labels": labels.repeat(args.copies),
            "teachers": args.teachers,
            "seed": args.seed,
        },
        args.out,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("teachers", nargs="+", help="names of runs: NAME.pt in RUN_DIR")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("pool.pt"))
    parser.add_argument("--copies", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    make(parser.parse_args())
    return 0


if __name__ == "__main__":
    sys.exit(main())
