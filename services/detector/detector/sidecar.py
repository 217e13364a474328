"""What is said of a model in a file beside it: `model.json` beside `model.onnx`.

`{"classes": ["car", …], "layout": "yolox", "input": {"rgb": true, "mean": [0, 0, 0], "std":
[255, 255, 255], "letterbox": true, "pad": 114}}`; every key may be left out.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from detector.classes import COCO, COCO_CLASSES, Classes, named
from detector.layouts import Input
from hazardcast import problems
from hazardcast.errors import ConfigError

LayoutName = Literal[
    "yolox", "nanodet-plus", "nanodet", "yolov8", "yolo-end-to-end", "detr", "raw-detr", "rf-detr"
]
Channels = tuple[float, float, float]


class InputSays(BaseModel):
    """How the picture is to be given, where it differs from the layout's way."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rgb: bool | None = None
    mean: Channels | None = None
    std: Channels | None = None
    letterbox: bool | None = None
    pad: Annotated[int, Field(ge=0, le=255)] | None = None


class Sidecar(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layout: LayoutName | None = None
    classes: Annotated[tuple[str, ...], Field(min_length=1, max_length=1000)] | None = None
    input: InputSays = InputSays()

    def over(self, wants: Input) -> Input:
        """The layout's input with what is said here laid over it."""
        said = {name: value for name, value in self.input if value is not None}
        return Input(**{**vars(wants), **said})


def beside(model: Path) -> Sidecar:
    """The sidecar of a model; an empty one when there is no file.

    Raises:
        ConfigError: the file is not JSON, or a key or value is wrong; the error names it.
    """
    path = model.with_suffix(".json")
    if not path.is_file():
        return Sidecar()
    try:
        sidecar = Sidecar.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        problem = problems.first(error)
        raise ConfigError(
            f"{path}: {problems.place(problem) or 'the file'}: {problems.sentence(problem)}"
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: not JSON: {error}") from None
    if sidecar.input.std and 0.0 in sidecar.input.std:
        raise ConfigError(f"{path}: input.std: must not be 0")
    return sidecar


def classes_of(sidecar: Sidecar, metadata: dict[str, str]) -> Classes:
    """The classes as the sidecar says, else as the file's own metadata (`names`), else COCO's.

    Raises:
        ConfigError: none of them is a vehicle.
    """
    names = sidecar.classes or _names(metadata.get("names", ""))
    if names is None or (len(names) == COCO_CLASSES and names[2].strip().lower() == "car"):
        return COCO
    return named(names)


def _names(text: str) -> tuple[str, ...] | None:
    """`{0: 'person', 1: 'bicycle', …}`, as YOLO exports carry it."""
    try:
        said = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if isinstance(said, dict):
        said = [said.get(place, "") for place in range(len(said))]
    if not isinstance(said, list | tuple) or not said:
        return None
    return tuple(str(name) for name in said)
