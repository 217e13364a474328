"""What a file is that is given for a model, and why it cannot be one."""

from __future__ import annotations

import re
from pathlib import Path

KINDS = (
    (b"", b"", "empty"),
    (b"PK\x03\x04", b"", "a PyTorch checkpoint or another archive"),
    (b"\x80\x02", b"", "a pickled PyTorch checkpoint"),
    (b"\x80\x03", b"", "a pickled PyTorch checkpoint"),
    (b"\x80\x04", b"", "a pickled PyTorch checkpoint"),
    (b"\x89HDF", b"", "a Keras file"),
    (b"", b"TFL3", "a TensorFlow Lite file"),
    (b"ftrt", b"", "a TensorRT engine"),
    (b"<?xml", b"", "an OpenVINO or another XML file"),
    (b"<", b"", "a web page, as of a download that failed"),
    (b"version https://git-lfs", b"", "a pointer of Git LFS; fetch the file with: git lfs pull"),
    (b"{", b"", "JSON"),
    (b"\x1f\x8b", b"", "compressed; unpack it"),
    (b"\xff\xd8\xff", b"", "a picture"),
    (b"\x89PNG", b"", "a picture"),
    (b"7767517", b"", "an ncnn file"),
)  # fmt: skip
"""(first bytes, bytes from the fifth on, what it is)."""


def other_kind(path: Path) -> str | None:
    """What the file is, where its first bytes are those of another kind than ONNX."""
    with path.open("rb") as file:
        head = file.read(64)
    if not head:
        return "empty"
    for first, fifth, kind in KINDS[1:]:
        if head.startswith(first) and head[4:].startswith(fifth):
            return kind
    return None


def advice(message: str, runtime: str) -> str:
    """What to do about ONNX Runtime's refusal of a file; empty where that is not known.

    Args:
        message: ONNX Runtime's.
        runtime: its version.
    """
    if re.search(r"IR version|opset \d+ is under development|maximum supported", message, re.I):
        return (
            f"; it is newer than this ONNX Runtime ({runtime}): export it with a lower opset, or "
            "use a newer onnxruntime"
        )
    if re.search(r"external.?data|external initializer", message, re.I):
        named = re.search(r'([^/\\"\s]+)"?\s*$', message)
        name = f" ({named.group(1)})" if named else ""
        return f"; its weights lie in a file of their own: copy that beside it, as it was{name}"
    custom = re.search(r"No [Oo]p registered for (\w+)|(\w+)\(-?\d+\) is not a registered", message)
    if custom:
        name = custom.group(1) or custom.group(2)
        return (
            f"; {name} is no operator of this ONNX Runtime ({runtime}): export it without plugins "
            "(for TensorRT: without suppression inside)"
        )
    return ""
