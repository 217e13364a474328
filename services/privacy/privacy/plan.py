"""What a worker is told when it is started: where the queue is, and how files are covered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hazardcast.contract.errors import ConfigError
from privacy import digests, plugins, regions
from privacy.covering import Recipe
from privacy.ffmpeg import Encoding
from privacy.looking import Look
from privacy.plugins import PluginLook
from privacy.verifying import FindFaces

if TYPE_CHECKING:
    from privacy.networks import Looks


class Plan(BaseModel):
    """Everything that a worker needs to know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    root: Path
    """Of the queue's folders."""
    ffmpeg: str
    cameras: tuple[str, ...] = ()
    """In an order that stays, as modules are told their numbers."""
    person_model: Path | None = None
    """A detection network that knows persons and vehicles."""
    face_model: Path | None = None
    blur_module_path: str | None = None
    blur_strength: int = 15
    solid: bool = False
    whole_persons: bool = False
    plates: bool = True
    look_every: int = Field(default=5, ge=1, le=15)
    video_codec: str = "libx264"
    bitrate: str = "2M"
    threads: int = Field(default=1, ge=1, le=64)
    max_attempts: int = Field(default=3, ge=1)

    @model_validator(mode="after")
    def _somebody_looks(self) -> Plan:
        if self.person_model is None and self.blur_module_path is None:
            raise ValueError("neither person_model nor blur_module_path: nobody would look")
        return self

    def recipe(self) -> Recipe:
        """How files are covered.

        Raises:
            ConfigError: `blur_strength` hides too little.
        """
        return Recipe(
            cells=regions.cells_across(self.blur_strength),
            solid=self.solid,
            look_every=self.look_every,
            encoding=Encoding(self.video_codec, self.bitrate, threads=self.threads),
            decoder_threads=self.threads,
        )

    def digest(self) -> str:
        """What tells files apart that were covered otherwise."""
        shown = self.model_dump(mode="json", exclude={"root", "ffmpeg", "max_attempts", "threads"})
        return digests.of_values(shown)


class Eyes:
    """Who looks, opened once a worker.

    Raises:
        ConfigError: a model or module is missing or not what it must be.
    """

    def __init__(self, plan: Plan) -> None:
        self._networks: Looks | None = None
        self.digests: dict[str, str] = {}
        if plan.person_model is not None:
            # Only what runs is loaded.
            from privacy.networks import Looks, Networks  # noqa: PLC0415

            networks = Networks(
                plan.person_model, plan.face_model, threads=plan.threads,
                whole_persons=plan.whole_persons, plates=plan.plates,
            )  # fmt: skip
            self._networks, self.digests = Looks(networks), networks.digests()
        elif plan.face_model is not None:
            raise ConfigError("face_model: alone it finds nobody at a roadside; give person_model")
        self._blur = None
        if plan.blur_module_path is not None:
            self._blur = plugins.load(plan.blur_module_path, cameras=max(1, len(plan.cameras)))
        self._cameras = plan.cameras

    @property
    def faces(self) -> FindFaces | None:
        """Who finds faces in what was covered."""
        return self._networks.faces.find if self._networks and self._networks.faces else None

    def of(self, camera: str) -> Look:
        """One more file's look, of this camera."""
        looks: list[Look] = [self._networks()] if self._networks else []
        if self._blur is not None:
            index = self._cameras.index(camera) if camera in self._cameras else 0
            looks.append(PluginLook(self._blur(index)))
        return looks[0] if len(looks) == 1 else plugins.together(looks)
