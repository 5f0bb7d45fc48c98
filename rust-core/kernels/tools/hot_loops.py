#!/usr/bin/env python3
"""Checks the hot loops of a release binary for spilled registers.

    cargo build --release -p biglittle-kernels --example bench
    python3 rust-core/kernels/tools/hot_loops.py target/release/examples/bench [OBJDUMP]

A hot loop is an innermost loop of the vector kernels with at least 16
multiply-adds that make up 45 % of it: the tiles of the matrix and depthwise
kernels. In the int8 kernels multiply-adds are dot products, and 25 % is enough:
their depthwise tiles transpose and requantize as well. A spilled accumulator shows as stack references in step with the
multiply-adds; a loop bound or pointer reloaded once an iteration does not
matter. So more than 12 stack references in 100 multiply-adds fail, with exit
code 1. Loops that hold other memory operands or transforms are not looked at.
"""
import re
import subprocess
import sys

FMA = re.compile(r"\b(vfmadd\w+|fmla)\b")
DOT = re.compile(r"\b(vpdpbusd|sdot)\b")
STACK = re.compile(r"\(%rsp|\[(?:sp|x29)\b")
JUMP = re.compile(
    r"(?:j\w+|b(?:\.\w+)?|cbn?z\s+\w+,|tbn?z\s+\w+, #\w+,)\s+(?:0x)?([0-9a-f]+)\b")
KERNEL = re.compile(r"(int8::)?micro::table::(avx512|avx2|neon)::(\w+)")


def loops(code):
    """Innermost loops as (first, last) indices."""
    index = {address: i for i, (address, _) in enumerate(code)}
    found = []
    for i, (_, text) in enumerate(code):
        jump = JUMP.match(text)
        start = index.get(int(jump.group(1), 16)) if jump else None
        if start is not None and start <= i:
            found.append((start, i))
    return [(s, e) for s, e in found
            if not any((s, e) != (t, f) and s <= t and f <= e for t, f in found)]


def check(name, code):
    hot = bad = 0
    product, share = (DOT, 0.25) if name.startswith("int8") else (FMA, 0.45)
    for start, end in loops(code):
        body = [text for _, text in code[start:end + 1]]
        fma = sum(1 for text in body if product.search(text))
        if fma < 16 or fma < share * len(body):
            continue
        hot += 1
        stack = sum(1 for text in body if STACK.search(text))
        if stack > 0.12 * fma:
            bad += 1
            print(f"{name}: loop at {code[start][0]:x}: {stack} stack references, {fma} fma")
    if hot:
        print(f"{name}: {hot} hot loops, {bad} with spills")
    return hot, bad


def main():
    objdump = sys.argv[2] if len(sys.argv) > 2 else "objdump"
    text = subprocess.run([objdump, "-d", "-C", "--no-show-raw-insn", sys.argv[1]],
                          check=True, capture_output=True, text=True).stdout
    name, code, total = None, [], [0, 0]

    def flush():
        if name:
            hot, bad = check(name, code)
            total[0] += hot
            total[1] += bad

    for line in text.splitlines():
        if line.endswith(">:"):
            flush()
            kernel = KERNEL.search(line)
            name = kernel and (kernel[1] or "") + f"{kernel[2]}::{kernel[3]}"
            code = []
        elif name and (m := re.match(r"\s*([0-9a-f]+):\s+(.*)", line)):
            code.append((int(m.group(1), 16), m.group(2).replace("\t", " ")))
    flush()
    if total[0] == 0:
        sys.exit("no hot loop found: is this a release binary of the kernels?")
    print(f"{total[0]} hot loops, {total[1]} with spills")
    sys.exit(1 if total[1] else 0)


if __name__ == "__main__":
    main()
