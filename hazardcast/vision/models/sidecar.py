"""What is said of a model in a file beside it: `model.json` beside `model.onnx`.

`{"classes": ["car", …], "layout": "yolox", "boxes": "pixels", "input": {"rgb": true, "mean":
[0, 0, 0], "std": [255, 255, 255], "letterbox": true, "pad": 114, "size": [640, 384]}}`; every key
may be left out. `classes` may also be "coco" or "coco-91".
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError

from hazardcast.contract import validation_errors
from hazardcast.contract.errors import ConfigError
from hazardcast.vision.models.classes import ASSUMED_COCO, COCO, COCO_SETS, Classes, are_coco, named
from hazardcast.vision.models.layouts import Input

LayoutName = Literal[
    "yolox", "yolox-decoded", "yolov6", "yolov5", "nanodet-plus", "nanodet", "yolov8",
    "yolo-end-to-end", "yolo-nms", "efficient-nms", "tf-detection", "ultralytics-detr", "detr",
    "raw-detr", "rf-detr",
]  # fmt: skip
Channel = Annotated[float, Field(allow_inf_nan=False)]
Channels = tuple[Channel, Channel, Channel]
Side = Annotated[int, Field(strict=True, ge=32, le=4096)]
ClassNames = Annotated[tuple[str, ...], Field(min_length=1, max_length=1000)]
MOST_NAMES = 10_000


def _set_or_list(value: object) -> object:
    if isinstance(value, str) and value not in COCO_SETS:
        raise ValueError('expected a list of names, "coco" or "coco-91"')
    return value


class InputSays(BaseModel):
    """How the picture is to be given, where it differs from the layout's way."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rgb: StrictBool | None = None
    mean: Channels | None = None
    std: Channels | None = None
    letterbox: StrictBool | None = None
    pad: Annotated[int, Field(strict=True, ge=0, le=255)] | None = None
    size: tuple[Side, Side] | None = None
    """Width and height, where the network leaves them open."""


class Sidecar(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layout: LayoutName | None = None
    classes: Annotated[
        ClassNames | Literal["coco", "coco-91"] | None, BeforeValidator(_set_or_list)
    ] = None
    boxes: Literal["pixels", "fractions"] | None = None
    """The unit of its boxes, where it differs from the layout's: of the network's input."""
    input: InputSays = InputSays()

    def over(self, wants: Input) -> Input:
        """The layout's input with what is said here laid over it."""
        said = {name: value for name, value in self.input if value is not None and name != "size"}
        return Input(**{**vars(wants), **said})


def path_beside(model: Path) -> Path:
    """Where the sidecar of a model is."""
    return model.with_suffix(".json")


def beside(model: Path) -> Sidecar:
    """The sidecar of a model; an empty one when there is no file.

    Raises:
        ConfigError: the file is not JSON, or a key or value is wrong; the error names line and key.
    """
    path = path_beside(model)
    if not path.is_file():
        return Sidecar()
    try:
        text = path.read_text(encoding="utf-8")
        sidecar = Sidecar.model_validate(json.loads(text, object_pairs_hook=_once))
    except ValidationError as error:
        problem = validation_errors.first(error)
        place = _place(problem["loc"])
        told = f"{place or 'the file'}: {validation_errors.sentence(problem)}"
        raise ConfigError(f"{path}{_line(text, place)}: {told}") from None
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path}:{error.lineno}: not JSON: {error.msg} (column {error.colno})"
        ) from None
    except _TwiceError as error:
        raise ConfigError(f"{path}{_line(text, str(error))}: {error}: given twice") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not JSON: {error}") from None
    if sidecar.input.std and 0.0 in sidecar.input.std:
        raise ConfigError(f"{path}{_line(text, 'input.std')}: input.std: must not be 0")
    return sidecar


class _TwiceError(Exception):
    """A key is given twice; the message is the key."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise _TwiceError(key)
    return dict(pairs)


def _place(loc: tuple[int | str, ...]) -> str:
    """The key as it is written in the file: no names of the kinds that a value may be of."""
    written = {*Sidecar.model_fields, *InputSays.model_fields}
    first = [str(part) for part in loc[:1]]
    known = [str(part) for part in loc[1:] if isinstance(part, int) or part in written]
    unknown = [str(part) for part in loc[1:2] if loc[0] == "input" and str(part) not in written]
    return ".".join([*first, *unknown, *known])


def _line(text: str, place: str) -> str:
    """`:3` for the line in which the last key of `place` is given last; empty if there is none."""
    keys = [part for part in place.split(".") if not part.isdigit()]
    found = [at.start() for at in re.finditer(rf'"{re.escape(keys[-1])}"\s*:', text)]
    return f":{text.count(chr(10), 0, found[-1]) + 1}" if found else ""


def classes_of(sidecar: Sidecar, metadata: dict[str, str]) -> Classes:
    """The classes as the sidecar says, else as the file's own metadata (`names`), else COCO's.

    Raises:
        ConfigError: none of them is a vehicle, or the metadata names them in a way that is not
            understood.
    """
    if isinstance(sidecar.classes, str):
        return COCO_SETS[sidecar.classes]
    names = sidecar.classes or _names(metadata.get("names", ""))
    if names is None:
        return ASSUMED_COCO
    return COCO if are_coco(names) else named(names)


def _names(text: str) -> tuple[str, ...] | None:
    """`{0: 'person', 1: 'bicycle', …}`, as YOLO exports carry it; a list or JSON as well.

    Raises:
        ConfigError: there is a text, and it names no classes.
    """
    if not text.strip():
        return None
    said = _literal(text)
    if isinstance(said, dict) and said and all(_is_number(key) for key in said):
        numbered = {int(key): name for key, name in said.items()}
        said = [numbered.get(place, "") for place in range(max(numbered) + 1)]
    if not isinstance(said, list | tuple) or not said or len(said) > MOST_NAMES:
        raise ConfigError(
            f"its metadata names classes in a way that is not understood: names: {text[:60]!r}; "
            'name them in the .json file beside it: {"classes": ["…"]}'
        )
    return tuple(str(name) for name in said)


def likely_layout(metadata: dict[str, str]) -> LayoutName | None:
    """Ultralytics' exports say whether suppression is inside: in `args`, or as `end2end`."""
    args = _literal(metadata.get("args", ""))
    inside = isinstance(args, dict) and args.get("nms") is True
    return "yolo-end-to-end" if inside or metadata.get("end2end") == "True" else None


def _is_number(key: object) -> bool:
    return str(key).isascii() and str(key).isdigit() and int(str(key)) < MOST_NAMES


def _literal(text: str) -> object:
    for read in (ast.literal_eval, json.loads):
        try:
            return read(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return None
