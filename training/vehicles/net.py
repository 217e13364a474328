"""The network: a picture and the empty road in, how likely a vehicle has its centre here out."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

CELL_PX = 4
KINDS = 4
"""Car, large vehicle, two-wheeler, person."""
REACH_PX = 8.0
"""Distances are told as multiples of this, in logarithms."""
RARE = -4.0
"""Log odds of a centre to begin with."""


class VehicleNet(nn.Module):
    """(N, 6, H, W) BGR 0…255, picture and road → (N, 4, H/4, W/4) logits and log distances.

    312 280 weights; a pyramid of strides 4, 8 and 16 that is read at 4 (centres as points: Zhou,
    Wang & Krähenbühl 2019, arXiv 1904.07850).
    """

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        half, quarter = 2 * width, 4 * width
        self.near = nn.Sequential(
            _conv(6, 16, 2), _conv(16, width, 2), _Block(width), _Block(width)
        )
        self.middle = nn.Sequential(_conv(width, half, 2), *(_Block(half) for _ in range(3)))
        dilations = (1, 2, 1, 4, 1)
        self.far = nn.Sequential(_conv(half, quarter, 2), *(_Block(quarter, d) for d in dilations))
        self.far_to_middle, self.middle_out = nn.Conv2d(quarter, half, 1), _Block(half)
        self.middle_to_near, self.near_out = nn.Conv2d(half, width, 1), _Block(width)
        self.centres = nn.Sequential(_conv(width, width, 1), nn.Conv2d(width, KINDS, 1))
        self.sides = nn.Sequential(_conv(width, width, 1), nn.Conv2d(width, 4, 1))
        nn.init.constant_(self.centres[1].bias, RARE)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        near = self.near(x / 127.5 - 1)
        middle = self.middle(near)
        middle = self.middle_out(middle + _doubled(self.far_to_middle(self.far(middle))))
        near = self.near_out(near + _doubled(self.middle_to_near(middle)))
        return self.centres(near), self.sides(near)


class _Block(nn.Module):
    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, dilation, dilation, width, bias=False),
            nn.BatchNorm2d(width),
            nn.Conv2d(width, 2 * width, 1), nn.ReLU(inplace=True),
            nn.Conv2d(2 * width, width, 1, bias=False), nn.BatchNorm2d(width),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.change(x)


def _conv(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _doubled(x: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def reach_px(sides: torch.Tensor) -> torch.Tensor:
    """Px from a cell's middle to the left, top, right and bottom side of its box."""
    return torch.exp(sides.clamp(-4, 5)) * REACH_PX


class _Peaks(nn.Module):
    """What the detector reads: likelihoods, 0 beside a greater one, and distances in px."""

    def __init__(self, net: VehicleNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        centres, sides = self.net(x)
        likely = torch.sigmoid(centres)
        greatest = functional.max_pool2d(likely, 3, 1, 1)
        return likely * (likely == greatest).float(), reach_px(sides)


def exported(net: VehicleNet, path: Path) -> None:
    """Write the network as ONNX for pictures of any size (sides multiples of 16)."""
    names = ("likelihood", "reach")
    torch.onnx.export(
        _Peaks(net.eval()), (torch.zeros(1, 6, 224, 384),), str(path),
        input_names=["pictures"], output_names=list(names), opset_version=17, dynamo=False,
        dynamic_axes={"pictures": {2: "h", 3: "w"}} | {name: {2: "ch", 3: "cw"} for name in names},
    )  # fmt: skip
