#!/usr/bin/env python3
"""Writes frames.gz: pictures in many layouts, and what Pillow and OpenCV make of them.

Usage: pip install -r frames.txt && python3 frames.py frames.gz

The file is a line of JSON and then bytes. The JSON has a list of cases; `source` and
`expected` are stretches [start, length] of the bytes: planes one after the other
without padding, and the rows of an RGB picture. A case says how far a value may be off.

Pictures: parts of photographs that come with scikit-image. `astronaut` is by NASA,
public domain; `coffee` by Rachel Michetti and `chelsea` by Stefan van der Walt, both
CC0. `edges` is the first in black and white only, where filters overshoot.
"""

import gzip
import json
import sys

import cv2
import numpy as np
from PIL import Image
from skimage import data

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos3": Image.Resampling.LANCZOS,
}
TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


def pictures() -> dict[str, np.ndarray]:
    astronaut = data.astronaut()[10:71, 190:265]
    edges = np.where(astronaut.mean(axis=2, keepdims=True) > 110, 255, 0).astype(np.uint8)
    return {
        "astronaut": astronaut,
        "coffee": data.coffee()[100:167, 210:274],
        "chelsea": data.chelsea()[90:150, 140:221],
        "edges": np.repeat(edges, 3, axis=2),
    }


class Cases:
    """Collects cases and their bytes; equal bytes are written once."""

    def __init__(self):
        self.cases, self.bytes, self.known = [], bytearray(), {}

    def store(self, array: np.ndarray) -> list[int]:
        content = np.ascontiguousarray(array, dtype=np.uint8).tobytes()
        if content not in self.known:
            self.known[content] = [len(self.bytes), len(content)]
            self.bytes += content
        return self.known[content]

    def add(self, name, size, source, expected, tolerance, **options):
        case = {"format": "rgb8", "turn": 0, "crop": None, "antialias": True, "range": "full"}
        case |= {"matrix": "bt601"} | options
        case |= {"name": name, "width": size[0], "height": size[1], "tolerance": tolerance}
        case |= {"input": [expected.shape[1], expected.shape[0]]}
        case |= {"source": self.store(source), "expected": self.store(expected)}
        self.cases.append(case)


def resized(cases: Cases, name: str, picture: np.ndarray) -> None:
    """RGB frames against Pillow, which turns and crops first."""
    height, width = picture.shape[:2]
    crop = (13, 7, width - 20, height - 5)
    for filter, resample in FILTERS.items():
        for size in [(31, 28), (24, 100)]:
            expected = np.asarray(Image.fromarray(picture).resize(size, resample))
            cases.add(f"{name} {filter} {size}", (width, height), picture, expected, 1, filter=filter)
        for turn, transpose in TURNS.items() if name in ("astronaut", "edges") else ():
            part = Image.fromarray(picture).crop(crop).transpose(transpose)
            expected = np.asarray(part.resize((20, 23), resample))
            box = [crop[0], crop[1], crop[2] - crop[0], crop[3] - crop[1]]
            options = {"filter": filter, "turn": turn, "crop": box}
            cases.add(f"{name} {filter} turned", (width, height), picture, expected, 1, **options)
    for size in [(31, 28), (24, 100)]:
        expected = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        options = {"filter": "bilinear", "antialias": False}
        cases.add(f"{name} OpenCV {size}", (width, height), picture, expected, 1, **options)


def weights(matrix: str) -> tuple[float, float, float]:
    red, blue = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}[matrix]
    return red, 1 - red - blue, blue


def to_yuv(picture: np.ndarray, matrix: str, range: str) -> list[np.ndarray]:
    """Luma at full size, Cb and Cr as the mean of 2 by 2 pixels."""
    red, green, blue = weights(matrix)
    rgb = picture.astype(float)
    y = rgb @ [red, green, blue]
    cb, cr = (rgb[..., 2] - y) / (2 - 2 * blue), (rgb[..., 0] - y) / (2 - 2 * red)
    odd = [(0, y.shape[0] % 2), (0, y.shape[1] % 2)]
    half = [np.pad(c, odd, mode="edge") for c in (cb, cr)]
    cb, cr = (c.reshape(c.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3)) for c in half)
    if range == "limited":
        y, cb, cr = 16 + y * 219 / 255, cb * 224 / 255, cr * 224 / 255
    return [np.clip(np.rint(p), 0, 255).astype(np.uint8) for p in (y, cb + 128, cr + 128)]


def to_rgb(y: np.ndarray, cb: np.ndarray, cr: np.ndarray, matrix: str, range: str) -> np.ndarray:
    """All three at one size, in floating point."""
    red, green, blue = weights(matrix)
    y, cb, cr = y.astype(float), cb - 128.0, cr - 128.0
    if range == "limited":
        y, cb, cr = np.maximum(y - 16, 0) * 255 / 219, cb * 255 / 224, cr * 255 / 224
    r, b = y + 2 * (1 - red) * cr, y + 2 * (1 - blue) * cb
    rgb = np.stack([r, (y - red * r - blue * b) / green, b], axis=-1)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def layouts(y: np.ndarray, cb: np.ndarray, cr: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "yuv420": np.concatenate([p.ravel() for p in (y, cb, cr)]),
        "nv12": np.concatenate([y.ravel(), np.stack([cb, cr], axis=-1).ravel()]),
        "nv21": np.concatenate([y.ravel(), np.stack([cr, cb], axis=-1).ravel()]),
    }


def coloured(cases: Cases, name: str, picture: np.ndarray) -> None:
    """YUV frames at their own size against OpenCV, which repeats chroma."""
    picture = picture[8:48, 8:56]
    height, width = picture.shape[:2]
    for matrix in ("bt601", "bt709"):
        for range in ("full", "limited"):
            planes = to_yuv(picture, matrix, range)
            repeated = [planes[0]] + [p.repeat(2, axis=0).repeat(2, axis=1) for p in planes[1:]]
            options = {"filter": "nearest", "matrix": matrix, "range": range}
            for layout, source in layouts(*planes).items():
                image = source.reshape(height * 3 // 2, width)
                if (matrix, range) == ("bt601", "limited"):
                    code = {"yuv420": "I420", "nv12": "NV12", "nv21": "NV21"}[layout]
                    expected = cv2.cvtColor(image, getattr(cv2, f"COLOR_YUV2RGB_{code}"))
                elif matrix == "bt601":
                    ycrcb = np.stack([repeated[0], repeated[2], repeated[1]], axis=-1)
                    expected = cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2RGB)
                else:  # OpenCV does not have it
                    expected = to_rgb(*repeated, matrix, range)
                title = f"{name} {layout} {matrix} {range}"
                cases.add(title, (width, height), source, expected, 2, format=layout, **options)


def planes_resized(cases: Cases, name: str, picture: np.ndarray) -> None:
    """YUV frames of odd sizes: each plane by Pillow, then the formula."""
    picture = picture[: (picture.shape[0] - 1) // 2 * 2 + 1, : (picture.shape[1] - 1) // 2 * 2 + 1]
    height, width = picture.shape[:2]
    y, cb, cr = to_yuv(picture, "bt601", "full")
    for filter in ("box", "bilinear", "bicubic", "lanczos3"):
        for left, top, right, bottom in [(0, 0, width, height), (11, 4, 60, 55)]:
            # The chroma samples that the part touches, and the part in these.
            first, end = (left // 2, top // 2), ((right + 1) // 2, (bottom + 1) // 2)
            box = [left / 2 - first[0], top / 2 - first[1], right / 2 - first[0], bottom / 2 - first[1]]
            luma = Image.fromarray(y).crop((left, top, right, bottom))
            chroma = [Image.fromarray(p).crop((*first, *end)) for p in (cb, cr)]
            small = [luma.resize((22, 26), FILTERS[filter])]
            small += [p.resize((22, 26), FILTERS[filter], box=box) for p in chroma]
            expected = to_rgb(*map(np.asarray, small), "bt601", "full")
            crop = [left, top, right - left, bottom - top]
            for layout, source in layouts(y, cb, cr).items():
                options = {"filter": filter, "format": layout, "crop": crop}
                # A level in luma and one in Cb, which counts 1.8 fold in blue.
                cases.add(f"{name} {layout} {filter}", (width, height), source, expected, 3, **options)


def main() -> None:
    cases = Cases()
    for name, picture in pictures().items():
        resized(cases, name, picture)
        if name != "edges":
            coloured(cases, name, picture)
        if name == "coffee":
            planes_resized(cases, name, picture)
    head = json.dumps({"cases": cases.cases}).encode() + b"\n"
    with open(sys.argv[1], "wb") as file:
        file.write(gzip.compress(head + bytes(cases.bytes), 9, mtime=0))


main()
