"""The JSON Schema of `cameras.yaml`, for editors: what a pattern can tell, they tell at once."""

from __future__ import annotations

from typing import Any

from hazardcast.config.site import VARIABLE, SiteConfig
from hazardcast.media.camera_url import DEMO_PARAMETERS, DEMO_SCENES
from hazardcast_tools.generate import field_docs

_NETWORK = r"(?:[Rr][Tt][Ss][Pp][Ss]?|[Hh][Tt][Tt][Pp][Ss]?)"
_HOST = r"(?:\[[0-9A-Fa-f:.]+(?:%[A-Za-z]\w*)?\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?)"
_STREAM = rf"{_NETWORK}://{_HOST}(?::0*[1-9][0-9]{{0,4}})?(?:[/?#]\S*)?"
_SCENE = rf"[Dd][Ee][Mm][Oo]://(?:{'|'.join(DEMO_SCENES)})(?:\?(?:&?(?:{'|'.join(DEMO_PARAMETERS)})=[0-9]+(?:\.[0-9]*)?)*)?"
_PUSH = r"[Pp][Uu][Ss][Hh]://[/ ]*"
_LOCAL = r"(?:[Vv]4[Ll]2:///|[Ff][Ii][Ll][Ee]://\s*\S).*"
_NO_PATH = (
    r"[^/\\]+://|[A-Za-z]:[\\/]|\\\\|/dev/video|(?:rtsps?|https?|demo|v4l2|file|push)(?::|//)"
)
_PATH = rf"(?!{_NO_PATH})\S.*"
URL_PATTERN = rf"^\s*(?:{_STREAM}|{_SCENE}|{_PUSH}|{_LOCAL}|{_PATH})\s*$"
STREAM_PATTERN = rf"^\s*{_STREAM}\s*$"


def schema() -> dict[str, Any]:
    """The file's schema; `defaults` takes what a camera takes."""
    whole = field_docs.described(SiteConfig.model_json_schema(), SiteConfig)
    camera = whole["$defs"]["Camera"]
    properties = camera["properties"]
    properties["url"]["pattern"] = URL_PATTERN
    _text_of(properties["detect_url"])["pattern"] = STREAM_PATTERN
    _text_of(properties["credentials"])["pattern"] = f"^{VARIABLE.pattern}$"
    needed = {"required": camera.pop("required")}
    shared = {"anyOf": [{"$ref": "#/$defs/Camera"}, {"type": "null"}]}
    whole["properties"]["defaults"] = {**shared, "description": "What all cameras share."}
    whole["properties"]["cameras"]["additionalProperties"] = False
    whole["anyOf"] = [
        {"properties": {"cameras": {"additionalProperties": needed}}},
        {"properties": {"defaults": needed}, "required": ["defaults"]},
    ]
    return whole


def _text_of(field: dict[str, Any]) -> dict[str, Any]:
    """The schema of a text that may be left out."""
    return next(one for one in field["anyOf"] if one["type"] == "string")
