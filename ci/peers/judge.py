"""Whether what a runtime computes is what it is measured for."""

import json
from pathlib import Path

import numpy as np

# Of a network that gives logits of several units.
LARGEST_DIFFERENCE = 1e-3
# Of an int8 network's outputs from float32's, to how far those lie from their own
# mean, both on average: of outputs that have nothing in common it is 1 and more.
LARGEST_INT8_ERROR = 0.2


def fault(key: str, loaded: dict, zoo: Path, network: str) -> str | None:
    """Why a runtime's figures would mean nothing, from what it said when the
    network was open; adds the error of int8 to that."""
    if not key.endswith("_int8"):
        difference = loaded.get("difference", 0.0)
        if difference > LARGEST_DIFFERENCE:
            return f"its outputs differ by {difference:.2g} from ONNX Runtime's"
        return None
    if key == "ours_int8":
        if "int8" not in loaded["runtime"]:
            return f"biglittle runs it on {loaded['runtime']}"
        judged = json.loads((zoo / f"{network}.int8.json").read_text())
        loaded["mean_difference"] = judged["networks"][0]["mean_output_difference"]
    expected = np.fromfile(zoo / f"{network}.output", "<f4")
    error = loaded["mean_difference"] / float(np.abs(expected - expected.mean()).mean())
    loaded["error"] = error
    if error > LARGEST_INT8_ERROR:
        return f"its outputs differ from float32's by {error:.0%} of their mean deviation"
    return None
