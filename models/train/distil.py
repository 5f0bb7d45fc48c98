"""Trains a little network on the answers of big ones.

    python distil.py NAME --pool POOL.pt --data DATA_DIR --out RUN_DIR [--epochs 60]

An epoch is 50,000 digits drawn from the pool. The loss is the divergence from the
teachers' softened answer plus a tenth of the cross-entropy with the label.
Writes RUN_DIR/NAME.pt and RUN_DIR/NAME.json, as train.py does.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

import data
import nets
import train

EPOCH = 50_000


def distil(args: argparse.Namespace) -> None:
    """One distillation run."""
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    pool = torch.load(args.pool, weights_only=True)
    images, labels = pool["images"], pool["labels"]
    soft = F.log_softmax(pool["logits"] / args.temperature, 1)
    _, validation = data.train_validation(args.data)
    module = nets.build(nets.ALL[args.name]).to(memory_format=torch.channels_last)
    average = train.averaged(module, 0.999)
    optimiser = torch.optim.AdamW(module.parameters(), args.rate, weight_decay=1e-4)
    per_epoch = EPOCH // args.batch
    steps, step, started = args.epochs * per_epoch, 0, time.monotonic()
    while step < steps:
        module.train()
        for index in train.batches(len(labels), args.batch):
            if step == steps:
                break
            for group in optimiser.param_groups:
                group["lr"] = args.rate * train.schedule(step, steps, per_epoch)
            x = data.normalise(images[index]).to(memory_format=torch.channels_last)
            output = module(x)
            student = F.log_softmax(output / args.temperature, 1)
            loss = args.temperature**2 * F.kl_div(
                student, soft[index], reduction="batchmean", log_target=True
            ) + args.hard * F.cross_entropy(output, labels[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            average.update_parameters(module)
            step += 1
            if step % (10 * per_epoch) == 0:
                score = train.accuracy(average, validation)
                seconds = time.monotonic() - started
                print(
                    f"{args.name} epoch {step // per_epoch} loss {loss:.4f}"
                    f" val {score:.2f} {seconds:.0f} s",
                    flush=True,
                )
    train.save(
        average,
        args.out,
        args.name,
        {
            "name": args.name,
            "seed": args.seed,
            "validation_accuracy": round(train.accuracy(average, validation), 2),
            "recipe": f"distilled from the mean logits of {', '.join(pool['teachers'])} on "
            f"{len(labels):,} (distorted) digits, {args.epochs} epochs of 50,000, temperature "
            f"{args.temperature}, {args.hard} x cross-entropy, AdamW (rate {args.rate}, weight "
            f"decay 1e-4, batch {args.batch}), cosine, averaged weights (decay 0.999)",
            "seconds": round(time.monotonic() - started),
        },
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(nets.ALL))
    parser.add_argument("--pool", type=Path, default=Path("pool.pt"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--temperature", type=float, default=2.0)
    parser.add_argument("--hard", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    distil(parser.parse_args())
    return 0


if __name__ == "__main__":
    sys.exit(main())
