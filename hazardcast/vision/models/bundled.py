"""Edge to ONNX Runtime: small networks that come with a package, in its folder `weights`."""

from __future__ import annotations

from importlib.resources import files

import onnxruntime


def shipped(package: str, name: str) -> bytes:
    """The weights of the network `name` of `package`."""
    return (files(package) / "weights" / f"{name}.onnx").read_bytes()


def opened(weights: bytes) -> onnxruntime.InferenceSession:
    """A session on one thread of one core; safe from several threads."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # cameras differ in size
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
