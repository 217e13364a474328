"""Trains the network that sees flames; `python -m training.fire.train --help`.

It needs PyTorch and onnx besides what the detector needs, and nothing of it is needed to run it.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import nn

from training.fire import compose, material, smoke
from training.fire.compose import UNSURE
from training.fire.material import Picture, Quiet

FOLDS = 3
SHARES = {"real": 0.28, "set in": 0.18, "quiet": 0.34, "lamps": 0.2}
HARDEST = 0.5
"""Of the quiet crops this share is drawn where something has the colour of fire."""
MISTAKEN, LEAST_MISTAKE = 0.6, 0.15
SHAKING = 0.15


class Mistake(NamedTuple):
    """A place (px) in a quiet picture that was taken for fire."""

    picture: int
    x: float
    y: float


class FlameNet(nn.Module):
    """(N, 6, H, W) BGR 0…255, the picture and another of the same view, → (N, 1, H/8, W/8) logits; 58 849 weights."""

    def __init__(self, inputs: int = 6, width: int = 48) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(inputs, 16, 2), _conv(16, 32, 2), _conv(32, width, 2))
        self.blocks = nn.ModuleList(_Block(width, dilation) for dilation in (1, 2, 4, 1))
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits per cell."""
        x = self.stem(x / 127.5 - 1)
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


class _Block(nn.Sequential):
    def __init__(self, width: int, dilation: int) -> None:
        super().__init__(
            nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.Conv2d(width, 2 * width, 1), nn.ReLU(),
            nn.Conv2d(2 * width, width, 1, bias=False), nn.BatchNorm2d(width),
        )  # fmt: skip


def _conv(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def fold_of(key: str) -> int:
    """Which part of the material is held out with this scene or source; the same for ever."""
    return hashlib.sha256(key.encode()).digest()[0] % FOLDS


def composed(
    rng: np.random.Generator,
    fires: Sequence[Picture],
    quiet: Sequence[Quiet],
    count: int,
    *,
    mistaken: Sequence[Mistake] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """`count` crops (N, S, S, 6) and their labels (N, C, C).

    Args:
        rng: what to draw with.
        fires: labelled images.
        quiet: frames without fire.
        count: how many crops.
        mistaken: what an earlier network took for fire; most quiet crops are drawn there.
    """
    flames = [cut for picture in fires if (cut := compose.matte(picture))]
    crops = np.empty((count, compose.SIDE, compose.SIDE, 6), np.uint8)
    labels = np.zeros((count, compose.CELLS, compose.CELLS), np.uint8)
    kinds = rng.choice(list(SHARES), count, p=list(SHARES.values()))
    for row, kind in enumerate(kinds):
        if kind == "real":
            crop, before, labels[row] = compose.real(rng, fires[int(rng.integers(len(fires)))])
        else:
            crop, before = _quiet(rng, quiet, mistaken)
            if kind == "set in":
                crop, before, labels[row] = compose.burning(rng, crop, before, flames)
            elif kind == "lamps":
                crop, before = compose.lamps(rng, crop, before)
        crops[row] = _worn(rng, crop, before)
    return crops, labels


def _worn(rng: np.random.Generator, crop: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Both as the same camera sends them, which may shake."""
    if rng.random() < SHAKING:
        before = compose.moved(before, rng.uniform(-3, 3, 2))
    seed = int(rng.integers(1 << 31))
    both = [compose.worn(np.random.default_rng(seed), one) for one in (crop, before)]
    noise = rng.normal(0, rng.uniform(0, 3), crop.shape)
    both[1] = np.clip(both[1] + noise, 0, 255).astype(np.uint8)
    return np.concatenate(both, axis=2)


def mistakes(net: nn.Module, quiet: Sequence[Quiet]) -> list[Mistake]:
    """Where the network sees fire though there is none, the worst more often."""
    found = []
    for number, picture in enumerate(quiet):
        scale = compose.WIDTH / picture.image.shape[1]
        both = [
            cv2.resize(one, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            for one in (picture.image, picture.before)
        ]
        small = np.concatenate(both, axis=2)
        small = small[: small.shape[0] // 8 * 8, : small.shape[1] // 8 * 8]
        with torch.no_grad():
            seen = torch.sigmoid(net(torch.from_numpy(small).float().permute(2, 0, 1)[None]))
        burning = seen[0, 0].numpy()
        for row, column in np.argwhere(burning > LEAST_MISTAKE):
            x, y = (8 * column + 4) / scale, (8 * row + 4) / scale
            found += [Mistake(number, x, y)] * round(5 * burning[row, column])
    return found


def _quiet(
    rng: np.random.Generator, quiet: Sequence[Quiet], mistaken: Sequence[Mistake]
) -> tuple[np.ndarray, np.ndarray]:
    picture, centre = quiet[int(rng.integers(len(quiet)))], None
    if mistaken and rng.random() < MISTAKEN:
        place = mistaken[int(rng.integers(len(mistaken)))]
        picture = quiet[place.picture]
        centre = (place.x + rng.uniform(-40, 40), place.y + rng.uniform(-40, 40))
    elif rng.random() < HARDEST:
        rows, columns = np.nonzero(compose.flame_colour(picture.image))
        if len(rows):
            pick = rng.integers(len(rows))
            centre = (columns[pick] + rng.uniform(-20, 20), rows[pick] + rng.uniform(-20, 20))
    scale = compose.WIDTH / picture.image.shape[1] * rng.uniform(0.7, 1.6)
    crop, scale, offset = compose.patch(rng, picture.image, scale, centre)
    same = (compose.SIDE / 2 - offset) / scale
    return crop, compose.patch(rng, picture.before, scale, same)[0]


def fitted(crops: np.ndarray, labels: np.ndarray, *, epochs: int, seed: int) -> FlameNet:
    """The network, trained on these crops."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = FlameNet(inputs=crops.shape[3])
    steps = epochs * (len(crops) // BATCH)
    optimiser = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps + 1)
    loss_of = nn.BCEWithLogitsLoss(reduction="none")
    for epoch in range(epochs):
        total = 0.0
        order = rng.permutation(len(crops))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            rows = np.sort(order[start : start + BATCH])
            images, wanted = _batch(rng, crops[rows], labels[rows])
            sure = wanted != UNSURE
            losses = loss_of(net(images)[:, 0], wanted.clamp(max=1))
            loss = (losses * sure * (1 + (wanted == 1))).sum() / sure.sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        print(f"epoch {epoch + 1}: {total * BATCH / len(order):.4f}", flush=True)
    net.eval()
    return net


BATCH = 48


def _batch(
    rng: np.random.Generator, crops: np.ndarray, labels: np.ndarray
) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.from_numpy(crops).float().permute(0, 3, 1, 2)
    wanted = torch.from_numpy(labels).float()
    if rng.random() < 0.5:
        images, wanted = images.flip(3), wanted.flip(2)
    gain = torch.from_numpy(rng.uniform(0.85, 1.15, (len(crops), 1, 1, 1))).float()
    return (images * gain).clamp(0, 255), wanted


def exported(net: FlameNet, path: Path) -> None:
    """Write the network, with the sigmoid, as ONNX for pictures of any size."""
    whole = nn.Sequential(net, nn.Sigmoid())
    example = torch.zeros(1, next(net.parameters()).shape[1], 216, 384)
    torch.onnx.export(
        whole, (example,), str(path), input_names=["picture"], output_names=["burning"],
        dynamic_axes={"picture": {0: "n", 2: "h", 3: "w"}, "burning": {0: "n", 2: "ch", 3: "cw"}},
        opset_version=17, dynamo=False,
    )  # fmt: skip


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("flames", "smoke"))
    parser.add_argument("assets", type=Path, help="folder with images/ and clips/")
    parser.add_argument("out", type=Path, help="the .onnx to write")
    parser.add_argument("--fold", type=int, help="hold this part out (0 … 2); without: all")
    parser.add_argument("--crops", type=int, default=14400)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(asked.seed)
    if asked.what == "smoke":
        views = [
            one for one in smoke.views(asked.assets / "clips") if fold_of(one.key) != asked.fold
        ]
        crops, labels = smoke.pairs(rng, views, asked.crops)
    else:
        crops, labels = _flames(rng, asked)
    exported(fitted(crops, labels, epochs=asked.epochs, seed=asked.seed), asked.out)


def _flames(rng: np.random.Generator, asked: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """What a first network, trained on half as much, takes for fire is what the second learns from."""
    fires = [
        one
        for one in material.fire_images(asked.assets / "images")
        if fold_of(one.key) != asked.fold
    ]
    quiet = [
        one
        for one in material.quiet_frames(asked.assets / "clips")
        if fold_of(one.key) != asked.fold
    ]
    first = fitted(*composed(rng, fires, quiet, asked.crops // 2), epochs=4, seed=asked.seed)
    return composed(rng, fires, quiet, asked.crops, mistaken=mistakes(first, quiet))


if __name__ == "__main__":
    main()
