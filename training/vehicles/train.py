"""Trains the network that parts what stands out into vehicles; `python -m training.vehicles.train --help`.

It needs PyTorch and onnx besides what the detector needs, and nothing of it is needed to run it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch

from training.vehicles import compose
from training.vehicles.compose import HEIGHT, WIDTH
from training.vehicles.material import View, kept
from training.vehicles.net import CELL_PX, KINDS, VehicleNet, exported, reach_px

KIND = {2: 0, 5: 1, 7: 1, 1: 2, 3: 2, 0: 3}
"""COCO's label → the network's."""
SURE, NOTHING = 0.4, 0.15
"""Between these scores of the teacher nothing is learnt."""
BATCH = 16
RATE = 3e-3
BOX_WEIGHT = 2.0
AVERAGED = 0.998
"""The weights that are kept are a running mean of those trained."""
Y, X = (
    np.mgrid[0 : HEIGHT // CELL_PX, 0 : WIDTH // CELL_PX].astype(np.float32) * CELL_PX + CELL_PX / 2
)
Targets = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def targets(boxes: np.ndarray) -> Targets:
    """Centres (KINDS, h, w), what is left out (h, w), boxes (4, h, w) and their weights (h, w)."""
    centres = np.zeros((KINDS, *X.shape), np.float32)
    left_out, weights = np.zeros_like(X), np.zeros_like(X)
    sides = np.zeros((4, *X.shape), np.float32)
    sizes = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for x1, y1, x2, y2, score, label in boxes[np.argsort(-sizes)]:
        kind = KIND.get(int(label))
        if kind is None or score < NOTHING:
            continue
        if score < SURE or x2 - x1 < 5 or y2 - y1 < 4:
            left_out[(x1 - 2 < X) & (x2 + 2 > X) & (y1 - 2 < Y) & (y2 + 2 > Y)] = 1
            continue
        hill = _hill(x1, y1, x2, y2)
        centres[kind] = np.maximum(centres[kind], hill)
        near = hill > 0.4
        sides[:, near] = np.array([x1, y1, x2, y2])[:, None]
        weights[near] = hill[near]
    return centres, left_out, sides, weights


def _hill(x1: float, y1: float, x2: float, y2: float) -> np.ndarray:
    """1 in the cell of the box's centre, falling off with its size."""
    row = min(int((y1 + y2) / 2 / CELL_PX), X.shape[0] - 1)
    column = min(int((x1 + x2) / 2 / CELL_PX), X.shape[1] - 1)
    wide, high = max((x2 - x1) / 7, 2.2), max((y2 - y1) / 7, 2.2)
    far = (X - X[row, column]) ** 2 / wide**2 + (Y - Y[row, column]) ** 2 / high**2
    hill: np.ndarray = np.exp(-far / 2)
    return hill


def centre_loss(
    logits: torch.Tensor, centres: torch.Tensor, left_out: torch.Tensor
) -> torch.Tensor:
    """Focal loss with fewer penalties near a centre (Law & Deng 2018, arXiv 1808.01244)."""
    likely = torch.sigmoid(logits).clamp(1e-4, 1 - 1e-4)
    here = (centres >= 0.999).float()
    counts = (1 - left_out[:, None]) * (1 - here)
    found = torch.log(likely) * (1 - likely) ** 2 * here
    quiet = torch.log(1 - likely) * likely**2 * (1 - centres) ** 4 * counts
    return -(found.sum() + quiet.sum()) / here.sum().clamp(min=1)


def box_loss(sides: torch.Tensor, boxes: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Generalised IoU (Rezatofighi et al. 2019, arXiv 1902.09630)."""
    reach, x, y = reach_px(sides), torch.from_numpy(X), torch.from_numpy(Y)
    told = x - reach[:, 0], y - reach[:, 1], x + reach[:, 2], y + reach[:, 3]
    true = boxes.unbind(1)
    low, high = torch.minimum, torch.maximum
    wide, tall = (
        low(told[2], true[2]) - high(told[0], true[0]),
        low(told[3], true[3]) - high(told[1], true[1]),
    )
    shared = wide.clamp(min=0) * tall.clamp(min=0)
    areas = [(one[2] - one[0]) * (one[3] - one[1]) for one in (told, true)]
    union = areas[0] + areas[1] - shared + 1e-6
    around = (high(told[2], true[2]) - low(told[0], true[0])) * (
        high(told[3], true[3]) - low(told[1], true[1])
    )
    losses = 1 - shared / union + (around - union) / (around + 1e-6)
    return (losses * weights).sum() / weights.sum().clamp(min=1)


def batches(views: Sequence[View], count: int, seed: int) -> Iterator[list[torch.Tensor]]:
    """Pictures and targets, composed while the network learns from the batch before."""
    rng = np.random.default_rng(seed)

    def composed() -> list[torch.Tensor]:
        drawn = [compose.drawn(rng, views) for _ in range(BATCH)]
        rows = [(picture, *targets(boxes)) for picture, boxes in drawn]
        return [torch.from_numpy(np.stack(part)) for part in zip(*rows, strict=True)]

    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(composed)
        for _ in range(count):
            batch, following = following.result(), pool.submit(composed)
            yield batch


def fitted(views: Sequence[View], *, steps: int, seed: int) -> VehicleNet:
    """The network after so many batches, its weights averaged over the last of them."""
    torch.manual_seed(seed)
    net = VehicleNet()
    net.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=1e-2)
    mean = {name: value.clone() for name, value in net.state_dict().items()}
    losses: list[float] = []
    for step, (pictures, centres, left_out, boxes, weights) in enumerate(
        batches(views, steps, seed)
    ):
        for group in optimiser.param_groups:
            group["lr"] = (
                RATE * min(1.0, step / 200 + 0.01) * (1 + np.cos(np.pi * step / steps)) / 2 + 1e-5
            )
        logits, sides = net(pictures.to(memory_format=torch.channels_last))
        loss = centre_loss(logits, centres, left_out) + BOX_WEIGHT * box_loss(sides, boxes, weights)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        _average(mean, net, min(AVERAGED, (step + 1) / (step + 51)))
        losses.append(float(loss.detach()))
        if step % 100 == 99:
            print(f"step {step + 1}: {np.mean(losses[-100:]):.3f}", flush=True)
    net.load_state_dict(mean)
    return net


def _average(mean: dict[str, torch.Tensor], net: VehicleNet, share: float) -> None:
    for name, value in net.state_dict().items():
        if value.dtype.is_floating_point:
            mean[name].mul_(share).add_(value, alpha=1 - share)
        else:
            mean[name] = value.clone()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m training.vehicles.train")
    parser.add_argument("material", type=Path, help="folder that material.py wrote")
    parser.add_argument("out", type=Path, help="the .onnx to write")
    parser.add_argument("--fold", type=int, help="hold this part out (0 … 2); without: all")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    views = [one for one in kept(asked.material) if one.fold is None or one.fold != asked.fold]
    exported(fitted(views, steps=asked.steps, seed=asked.seed), asked.out)


if __name__ == "__main__":
    main()
