"""Writes tiny ONNX networks (onnx.proto3) that see a red rectangle and tell it in any layout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hazardcast.vision.models.layouts import Input

TYPES = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7, "bool": 9, "float16": 10, "float64": 11}
"""TensorProto.DataType."""
Dims = Sequence[int | str]


def varint(number: int) -> bytes:
    number &= 2**64 - 1
    out = b""
    while number > 0x7F:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def field(number: int, value: bytes | int | str) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def value_info(name: str, shape: Dims, type_: int = 1) -> bytes:
    dims = b"".join(field(1, field(1 if isinstance(one, int) else 2, one)) for one in shape)
    return field(1, name) + field(2, field(1, field(1, type_) + field(2, dims)))


def tensor(array: np.ndarray, name: str = "", *, outside: str = "") -> bytes:
    """With its data in the file `outside`, if one is named."""
    array = np.asarray(array)
    start = b"".join(field(1, size) for size in array.shape)
    start += field(2, TYPES[array.dtype.name]) + field(8, name)
    if outside:
        return start + field(13, field(1, "location") + field(2, outside)) + field(14, 1)
    return start + field(9, array.tobytes())


def attribute(name: str, value: int | tuple[int, ...]) -> bytes:
    if isinstance(value, tuple):
        return field(1, name) + b"".join(field(8, one) for one in value) + field(20, 7)
    return field(1, name) + field(3, int(value)) + field(20, 2)


class Graph:
    """A graph in the making; every step gives the name of its result."""

    def __init__(self) -> None:
        self.body, self.count = field(2, "drawn"), 0
        self.domains: set[str] = set()

    def input(self, name: str, shape: Dims, numbers: str = "float32") -> str:
        self.body += field(11, value_info(name, shape, TYPES[numbers]))
        return name

    def constant(self, value: object, numbers: str = "float32", *, outside: str = "") -> str:
        self.count += 1
        name = f"c{self.count}"
        self.body += field(5, tensor(np.asarray(value, numbers), name, outside=outside))
        return name

    def op(self, kind: str, *inputs: str, domain: str = "", to: str = "", **attributes) -> str:
        self.count += 1
        name = to or f"v{self.count}"
        node = b"".join(field(1, one) for one in inputs) + field(2, name) + field(4, kind)
        node += b"".join(field(5, attribute(key, value)) for key, value in attributes.items())
        if domain:
            node += field(7, domain)
            self.domains.add(domain)
        self.body += field(1, node)
        return name

    def cast(self, name: str, numbers: str) -> str:
        self.count += 1
        result = f"v{self.count}"
        node = field(1, name) + field(2, result) + field(4, "Cast")
        self.body += field(1, node + field(5, attribute("to", TYPES[numbers])))
        return result

    def output(self, name: str, of: str, shape: Dims, numbers: str = "float32") -> None:
        self.op("Identity", self.cast(of, numbers), to=name)
        self.body += field(12, value_info(name, shape, TYPES[numbers]))

    def save(self, path: Path, *, metadata=None, opset: int = 13, ir: int = 8) -> Path:
        model = field(1, ir) + field(7, self.body) + field(8, field(2, opset))
        for domain in self.domains:
            model += field(8, field(1, domain) + field(2, 1))
        for key, value in (metadata or {}).items():
            model += field(14, field(1, key) + field(2, value))
        path.write_bytes(model)
        return path

    def sees(self, picture: str, wants: Input, *, numbers: str, channels_last: bool):
        """Corners (4,) in px of the red rectangle in `picture`, and 1.0 (1,) if there is one.

        Only a picture that is given as `wants` says has one: red is above the middle, blue below.
        """
        pixels = self.cast(picture, "float32")
        mask = ""
        for channel, test in ((0 if wants.rgb else 2, "Greater"), (2 if wants.rgb else 0, "Less")):
            middle = 128.0
            if numbers != "uint8":
                middle = (middle - wants.mean[channel]) / wants.std[channel]
            axis = 3 if channels_last else 1
            plane = self.op("Gather", pixels, self.constant(channel, "int64"), axis=axis)
            fits = self.op(test, plane, self.constant(middle))
            mask = self.op("And", mask, fits) if mask else fits
        mask = self.cast(mask, "float32")
        across = self.op("ReduceSum", mask, self.constant([0, 1], "int64"), keepdims=0)
        down = self.op("ReduceSum", mask, self.constant([0, 2], "int64"), keepdims=0)
        corners, zero = [], self.constant(0.0)
        sides = [self.cast(self.op("Greater", one, zero), "float32") for one in (across, down)]
        for last in (0, 1):
            for side in sides:
                at = self.op("ArgMax", side, axis=0, keepdims=1, select_last_index=last)
                corners.append(self.op("Add", at, self.constant([last], "int64")))
        box = self.cast(self.op("Concat", *corners, axis=0), "float32")
        total = self.op("ReduceSum", sides[0], self.constant([0], "int64"), keepdims=1)
        return box, self.op("Min", total, self.constant([1.0]))

    def linear(self, box: str, matrix: object, offset: object = 0.0) -> str:
        """(4,) `box` times a (4, 4) matrix, and more."""
        row = self.op("Reshape", box, self.constant([1, 4], "int64"))
        flat = self.op("MatMul", row, self.constant(matrix))
        flat = self.op("Reshape", flat, self.constant([4], "int64"))
        return self.op("Add", flat, self.constant(offset))

    def placed(self, background: np.ndarray, row: int, *parts: str) -> str:
        """`background` [1, N, K] with the parts, K together, added to one row."""
        _, count, columns = background.shape
        values = self.op("Concat", *parts, axis=0) if len(parts) > 1 else parts[0]
        values = self.op("Reshape", values, self.constant([1, 1, columns], "int64"))
        mark = np.zeros((1, count, 1))
        mark[0, row] = 1
        return self.op(
            "Add", self.constant(background), self.op("Mul", self.constant(mark), values)
        )

    def swapped(self, rows: str) -> str:
        """[1, N, K] → [1, K, N]."""
        return self.op("Transpose", rows, perm=(0, 2, 1))

    def times(self, score: str, values: Sequence[float]) -> str:
        """(K,) `values` times the score (1,)."""
        return self.op("Mul", score, self.constant(values))


CENTRED = [[0.5, 0, -1, 0], [0, 0.5, 0, -1], [0.5, 0, 1, 0], [0, 0.5, 0, 1]]
"""Corners → centre and sides."""


def network(path, outputs: dict[str, np.ndarray], *, side: int = 64, names: str = "", input_=None):
    """Write an ONNX network (IR 8, opset 13) that always gives `outputs`."""
    graph = Graph()
    graph.input("images", input_ or (1, 3, side, side))
    for name, array in outputs.items():
        numbers = "int64" if array.dtype == np.int64 else "float32"
        graph.output(name, graph.constant(array, numbers), array.shape, numbers)
    return graph.save(path, metadata={"names": names} if names else None)
