#!/usr/bin/env python3
"""Measures the way from a camera frame to a network's input on one core: biglittle,
OpenCV, Pillow and a naive loop. Called by ci/bench-frames.

In every round all of them take their turn with every case, in the order A B, B A:
whatever else the machine does hits all, so that the ratio within a round counts.
"""

import argparse
import os
import statistics
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SIDE = 224
SIZES = [(640, 480), (1280, 720), (1920, 1080)]
BEGIN, END = "<!-- bench-frames: begin -->", "<!-- bench-frames: end -->"
# What of biglittle is compared with what of the others, and how it is called.
KINDS = {
    "Bilinear false": ("OpenCV", cv2.INTER_LINEAR, "bilinear, 4 neighbours"),
    "Box true": ("OpenCV", cv2.INTER_AREA, "area"),
    "Bilinear true": ("Pillow", Image.Resampling.BILINEAR, "bilinear, antialiased"),
    "Bicubic true": ("Pillow", Image.Resampling.BICUBIC, "bicubic, antialiased"),
}
Case = tuple[str, str, str, str]  # size, layout, kind, who


class Peer:
    """The others' ways; the fastest that we know of each."""

    def __init__(self, width: int, height: int):
        self.width, self.height = width, height
        self.side = int(0.875 * height)
        # Even, so that chroma can be cut out too.
        self.x, self.y = ((n - self.side) // 2 // 2 * 2 for n in (width, height))
        random = np.random.default_rng(1)
        self.rgba = random.integers(0, 256, (height, width, 4), np.uint8)
        self.luma = random.integers(0, 256, (height, width), np.uint8)
        self.chroma = random.integers(0, 256, (height // 2, width // 2, 2), np.uint8)
        self.out = np.empty((3, SIDE, SIDE), np.float32)
        self.table = (np.arange(256, dtype=np.float32) - 127) / 128

    def cut(self, plane: np.ndarray, scale: int = 1) -> np.ndarray:
        x, y, side = (n // scale for n in (self.x, self.y, self.side))
        return plane[y : y + side, x : x + side]

    def in_numpy(self, rgb: np.ndarray) -> None:
        np.subtract(rgb.transpose(2, 0, 1), np.float32(127), out=self.out, dtype=np.float32)
        np.multiply(self.out, np.float32(1 / 128), out=self.out)

    def as_blob(self, rgb: np.ndarray) -> None:
        cv2.dnn.blobFromImage(rgb, 1 / 128, mean=(127, 127, 127))

    def by_table(self, rgb: np.ndarray) -> None:
        for channel, plane in enumerate(cv2.split(rgb)):
            cv2.LUT(plane, self.table, dst=self.out[channel])

    def by_plane(self, rgb: np.ndarray) -> None:
        for channel, plane in enumerate(cv2.split(rgb)):
            np.subtract(plane, np.float32(127), out=self.out[channel], dtype=np.float32)
        np.multiply(self.out, np.float32(1 / 128), out=self.out)

    def rgba_resized(self, how: int) -> np.ndarray:
        small = cv2.resize(self.cut(self.rgba), (SIDE, SIDE), interpolation=how)
        return cv2.cvtColor(small, cv2.COLOR_RGBA2RGB)

    def nv12_converted(self, how: int) -> np.ndarray:
        side = self.side // 2 * 2
        luma, chroma = self.cut(self.luma)[:side, :side], self.cut(self.chroma, 2)
        rgb = cv2.cvtColorTwoPlane(luma, chroma, cv2.COLOR_YUV2RGB_NV12)
        return cv2.resize(rgb, (SIDE, SIDE), interpolation=how)

    def nv12_resized(self, how: int) -> np.ndarray:
        luma = cv2.resize(self.cut(self.luma), (SIDE, SIDE), interpolation=how)
        half = (SIDE // 2, SIDE // 2)
        chroma = cv2.resize(self.cut(self.chroma, 2), half, interpolation=how)
        return cv2.cvtColorTwoPlane(luma, chroma, cv2.COLOR_YUV2RGB_NV12)

    def pillow(self, picture: Image.Image, how: int) -> np.ndarray:
        box = (self.x, self.y, self.x + self.side, self.y + self.side)
        return np.asarray(picture.resize((SIDE, SIDE), how, box=box))

    def ways(self) -> dict[tuple[str, str, str], list[Callable[[], None]]]:
        """Of each layout, kind and library the ways to do it."""
        found = defaultdict(list)
        opaque = Image.fromarray(np.ascontiguousarray(self.rgba[..., :3]))
        for kind, (who, how, _) in KINDS.items():
            if who == "Pillow":
                way = lambda how=how: self.in_numpy(self.pillow(opaque, how))
                found["Rgba8", kind, who].append(way)
                continue
            for finish in (self.in_numpy, self.as_blob, self.by_table, self.by_plane):
                for layout, start in [
                    ("Rgba8", self.rgba_resized),
                    ("Nv12", self.nv12_converted),
                    ("Nv12", self.nv12_resized),
                ]:
                    way = lambda start=start, how=how, finish=finish: finish(start(how))
                    found[layout, kind, who].append(way)
        return found


def median_ns(run: Callable[[], None], seconds: float) -> float:
    run()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or not times:
        began = time.perf_counter_ns()
        run()
        times.append(time.perf_counter_ns() - began)
    return statistics.median(times)


def peers_turn(peers: dict[str, Peer], seconds: float) -> dict[Case, float]:
    return {
        (size, layout, kind, who): min(median_ns(way, seconds) for way in ways)
        for size, peer in peers.items()
        for (layout, kind, who), ways in peer.ways().items()
    }


def our_turn(program: str, seconds: float, network: list[str]) -> dict[Case, float]:
    command = [program, str(seconds), *network]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    words = (line.split() for line in lines)
    return {(w[0], w[1], f"{w[2]} {w[3]}", w[4]): float(w[5]) for w in words}


def table(rounds: list[dict[Case, float]], date: str | None) -> str:
    def middle(case: Case) -> float:
        return statistics.median(r[case] for r in rounds)

    network = ("-", "-", "- -", "network")
    head = ["frame", "layout", "filter", "biglittle", "other", "", "ratio", "naive loop"]
    if network in rounds[0]:
        head.append("of the network")
    rows = []
    for width, height in SIZES:
        for layout in ("Nv12", "Rgba8"):
            for kind, (who, _, title) in KINDS.items():
                size = f"{width}x{height}"
                ours, other = (size, layout, kind, "biglittle"), (size, layout, kind, who)
                row = [size, {"Nv12": "NV12", "Rgba8": "RGBA"}[layout], title, f"{middle(ours) / 1e3:.0f}"]
                if other in rounds[0]:
                    ratio = sorted(r[ours] / r[other] for r in rounds)
                    spread = f"{statistics.median(ratio):.2f} ({ratio[0]:.2f}-{ratio[-1]:.2f})"
                    row += [who, f"{middle(other) / 1e3:.0f}", spread]
                else:
                    row += ["", "", ""]
                naive = (size, layout, kind, "naive")
                row.append(f"{middle(naive) / 1e3:.0f}" if naive in rounds[0] else "")
                if network in rounds[0]:
                    shares = [r[ours] / r[network] for r in rounds]
                    row.append(f"{100 * statistics.median(shares):.1f} %")
                rows.append(row)
    lines = [f"{date + ', ' if date else ''}one core. OpenCV {cv2.__version__}, Pillow {Image.__version__}."]
    lines[0] += f" Microseconds, medians of {len(rounds)} rounds; the ratio is the median of the"
    lines[0] += " ratios within a round, with the smallest and the largest of them."
    if network in rounds[0]:
        lines[0] += f" One run of the network: {middle(network) / 1e6:.2f} ms."
    lines += ["", "| " + " | ".join(head) + " |"]
    lines += ["| --- | --- | --- | ---: | --- | ---: | ---: | ---: |" + " ---: |" * (len(head) - 8)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--network", help="an ONNX file of 3 x 224 x 224")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--turn", type=float, default=0.05, help="seconds of one case")
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--date")
    parser.add_argument("--page", type=Path, help="write the table into this page")
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.cpu})
    cv2.setNumThreads(1)
    network = [options.network] if options.network else []
    peers = {f"{w}x{h}": Peer(w, h) for w, h in SIZES}
    rounds = []
    for index in range(options.rounds):
        turns = [
            lambda: our_turn(options.program, options.turn, network),
            lambda: peers_turn(peers, options.turn),
        ]
        times = {}
        for turn in turns[:: -1 if index % 2 else 1]:
            times |= turn()
        rounds.append(times)
    result = table(rounds, options.date)
    print(result)
    if options.page:
        page = options.page.read_text()
        before, rest = page.split(BEGIN)
        options.page.write_text(f"{before}{BEGIN}\n{result}\n{END}{rest.split(END)[1]}")


main()
