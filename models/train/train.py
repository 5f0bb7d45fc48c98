"""Trains one network on labels, with distortions, a cosine schedule and averaged weights.

    python train.py NAME --data DATA_DIR --out RUN_DIR [--epochs 16] [--seed 1] [--start RUN_DIR]

With --start it goes on from the weights in that folder and writes NAME+EPOCHS.
Writes RUN_DIR/NAME.pt (the averaged weights of the last step: no epoch is picked)
and RUN_DIR/NAME.json (recipe, seed, validation accuracy). One thread; convolutions
run in bfloat16 under autocast, validation in float32.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import augment
import data
import nets


def schedule(step: int, steps: int, warm: int) -> float:
    """Factor of the learning rate: linear warm-up, then half a cosine to zero."""
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1.0 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def batches(count: int, size: int) -> Iterator[torch.Tensor]:
    """Index batches of one shuffled epoch; the ragged end is left out."""
    order = torch.randperm(count)
    for start in range(0, count - size + 1, size):
        yield order[start : start + size]


def averaged(module: nn.Module, decay: float) -> AveragedModel:
    """Exponential moving average of weights and batch norm statistics."""
    return AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)


@torch.inference_mode()
def logits(module: nn.Module, images: torch.Tensor, size: int = 500) -> torch.Tensor:
    """Float32 logits of uint8 images."""
    module.eval()
    parts = [
        module(data.normalise(part).to(memory_format=torch.channels_last))
        for part in images.split(size)
    ]
    return torch.cat(parts)


def accuracy(module: nn.Module, digits: data.Digits) -> float:
    """Percentage right."""
    images, labels = digits
    return 100.0 * (logits(module, images).argmax(1) == labels).float().mean().item()


def save(average: AveragedModel, out: Path, name: str, record: dict[str, object]) -> None:
    """Writes the averaged weights and the record of the run."""
    out.mkdir(parents=True, exist_ok=True)
    torch.save(average.module.state_dict(), out / f"{name}.pt")
    (out / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")


def train(args: argparse.Namespace) -> None:
    """One training run."""
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    (images, labels), validation = data.train_validation(args.data)
    module = nets.build(nets.ALL[args.name]).to(memory_format=torch.channels_last)
    before = ""
    if args.start:
        module.load_state_dict(torch.load(args.start / f"{args.name}.pt", weights_only=True))
        record = json.loads((args.start / f"{args.name}.json").read_text())
        before = f"{record['recipe']} (seed {record['seed']}); then "
    average = averaged(module, 0.998)
    optimiser = torch.optim.SGD(
        module.parameters(), args.rate, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    per_epoch = len(labels) // args.batch
    steps, step, started = args.epochs * per_epoch, 0, time.monotonic()
    score = 0.0
    for epoch in range(1, args.epochs + 1):
        module.train()
        for index in batches(len(labels), args.batch):
            for group in optimiser.param_groups:
                group["lr"] = args.rate * schedule(step, steps, per_epoch)
            x = augment.distort(images[index].float().unsqueeze(1) / 255.0)
            x = ((x - data.MEAN) / data.STD).to(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16):
                output = module(x)
            loss = F.cross_entropy(output.float(), labels[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            average.update_parameters(module)
            step += 1
        if epoch % 4 == 0 or epoch == args.epochs:
            score = accuracy(average, validation)
            seconds = time.monotonic() - started
            print(
                f"{args.name} epoch {epoch} loss {loss:.4f} val {score:.2f} {seconds:.0f} s",
                flush=True,
            )
    name = f"{args.name}+{args.epochs}" if args.start else args.name
    save(
        average,
        args.out,
        name,
        {
            "name": name,
            "seed": args.seed,
            "validation_accuracy": round(score, 2),
            "recipe": f"{before}cross-entropy on 50,000 distorted digits, {args.epochs} epochs, "
            f"SGD (Nesterov 0.9, rate {args.rate}, weight decay 5e-4, batch {args.batch}), "
            "one epoch of warm-up then cosine, averaged weights (decay 0.998)",
            "seconds": round(time.monotonic() - started),
        },
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(nets.ALL))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, help="go on from the weights in this run folder")
    train(parser.parse_args())
    return 0


if __name__ == "__main__":
    sys.exit(main())
