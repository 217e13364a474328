"""The networks that look, opened once a process; none of them may be missing or answer nonsense."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry.boxes import Label
from hazardcast.vision.models.decoders import Named
from hazardcast.vision.models.onnx_model import OnnxModel, Weights
from hazardcast.vision.models.units import all_numbers
from hazardcast.vision.pixels.image import Plane
from privacy import digests
from privacy.faces import FaceNet
from privacy.looking import NetworkLook


@dataclass(frozen=True)
class Networks:
    """Which networks look, and what of what they find is covered."""

    road_users: Path
    """A detection network that knows persons and vehicles, as the detector takes it."""
    faces: Path | None = None
    """YuNet of open size."""
    threads: int = 1
    whole_persons: bool = False
    plates: bool = True

    def digests(self) -> dict[str, str]:
        """File name → SHA-256 of each."""
        files = [self.road_users, *([self.faces] if self.faces else [])]
        return {path.name: digests.of_file(path) for path in files}


class StrictWeights(Weights):
    """Weights whose every answer is looked through: from what is no number no box is read."""

    def run(self, fed: Plane) -> Named:
        """As `Weights.run`.

        Raises:
            ConfigError: an answer holds what are no numbers.
        """
        outputs = super().run(fed)
        all_numbers(outputs)
        return outputs


class Looks:
    """Makes a file's look, from networks that are loaded once.

    Raises:
        ConfigError: a file is missing, no network of a known kind, or knows no persons.
    """

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._weights = StrictWeights(networks.road_users, threads=networks.threads, provider="cpu")
        if int(Label.PERSON) not in self._weights.classes.labels.tolist():
            raise ConfigError(f"person_model: {networks.road_users}: knows no persons")
        self.faces = FaceNet(networks.faces, threads=networks.threads) if networks.faces else None

    def __call__(self) -> NetworkLook:
        """One more file's look."""
        return NetworkLook(
            OnnxModel(self._weights),
            self.faces.find if self.faces else None,
            whole_persons=self._networks.whole_persons,
            plates=self._networks.plates,
        )
