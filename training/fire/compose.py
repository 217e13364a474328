"""Composes crops to learn from: real fire scaled to what a roadside camera shows, flames set into
quiet scenes, and what is not fire though it shines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from training.fire.material import Picture

SIDE = 128
CELL = 8
"""The network tells of cells of 8 × 8 px; labels are per cell: 1, 0, or `UNSURE`."""
CELLS = SIDE // CELL
UNSURE = 255
WIDTH = 384
"""Crops are as if cut from frames of this width."""


Matte = tuple[np.ndarray, np.ndarray]
"""A flame cut out: colours (h, w, 3) and opacity (h, w)."""


def flame_colour(image: np.ndarray) -> np.ndarray:
    """(H, W) R ≥ G ≥ B and far from grey, or the white-hot core of it."""
    blue, green, red = (image[..., channel].astype(np.int16) for channel in range(3))
    warm = (red > 130) & (red >= green - 5) & (green >= blue - 10) & (red - blue > 35)
    hot = (red > 225) & (green > 200)
    return warm | hot


def cells(plane: np.ndarray) -> np.ndarray:
    """Mean over cells."""
    return cv2.resize(plane.astype(np.float32), (CELLS, CELLS), interpolation=cv2.INTER_AREA)


def patch(
    rng: np.random.Generator,
    image: np.ndarray,
    scale: float,
    centre: Iterable[float] | None = None,
) -> tuple[np.ndarray, float, np.ndarray]:
    """A crop of SIDE px from `image` scaled by `scale`; returns it and its affine map."""
    height, width = image.shape[:2]
    if centre is None:
        half = SIDE / 2 / scale
        centre = [
            rng.uniform(min(half, size / 2), max(size - half, size / 2)) for size in (width, height)
        ]
    x, y = centre
    matrix = np.array([[scale, 0, SIDE / 2 - scale * x], [0, scale, SIDE / 2 - scale * y]])
    if scale < 0.6:
        image, matrix = _halved(image, matrix, scale)
    crop = cv2.warpAffine(
        image, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return crop, scale, np.array([SIDE / 2 - scale * x, SIDE / 2 - scale * y])


def _halved(image: np.ndarray, matrix: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return small, np.array([[1.0, 0, matrix[0, 2]], [0, 1.0, matrix[1, 2]]])


def flickered(rng: np.random.Generator, image: np.ndarray, size: float) -> np.ndarray:
    """The flame a moment earlier: its parts elsewhere, brighter or darker, each on its own.

    A still picture shows no motion; smooth random displacements of a tenth to a third of the
    flame's `size` (px), and light that varies likewise, stand in for turbulence.
    """
    height, width = image.shape[:2]
    knots = max(2, min(24, round(rng.uniform(3, 7) * max(height, width) / max(size, 1))))

    def field(sigma: float) -> np.ndarray:
        coarse = rng.normal(0, sigma, (knots, knots)).astype(np.float32)
        return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)

    far = rng.uniform(0.06, 0.22) * size
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    moved = cv2.remap(
        image, xs + field(far), ys + field(1.3 * far) - rng.uniform(0, far), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )  # fmt: skip
    light = 1 + field(rng.uniform(0.05, 0.25)) + rng.normal(0, 0.08)
    return np.clip(
        moved * (light if image.ndim == 2 else light[..., None]), 0, 255 if image.ndim == 3 else 1
    )


def _earlier(rng: np.random.Generator, crop: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The crop with what burns in its boxes flickered."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    for x1, y1, x2, y2 in boxes:
        m = 0.12 * (y2 - y1) + 1
        corners = (round(x1 - m), round(y1 - 2 * m)), (round(x2 + m), round(y2))
        cv2.rectangle(mask, *corners, 1.0, -1)
    size = float(np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)).max())
    lit = cv2.GaussianBlur(flame_colour(crop).astype(np.float32), (0, 0), 2) * 2.5
    mask = cv2.GaussianBlur(mask * np.clip(lit, 0, 1), (0, 0), 1.5)[..., None]
    other = flickered(rng, crop, min(size, SIDE))
    both: np.ndarray = (crop + mask * (other - crop)).astype(np.uint8)
    return both


def real(rng: np.random.Generator, picture: Picture) -> tuple[np.ndarray, ...]:
    """Fire as photographed, at a scale a camera would show it: crop, the one before, labels."""
    box = picture.boxes[rng.integers(len(picture.boxes))]
    size = max(8.0, float(np.sqrt(np.prod(box[2:] - box[:2]))))
    scale = float(np.exp(rng.uniform(np.log(10), np.log(110)))) / size
    # Smaller than half the crop, the rest would be a mirror of it.
    least = 0.7 * SIDE / min(picture.image.shape[:2])
    scale = max(scale, least)
    centre = (box[:2] + box[2:]) / 2 + rng.uniform(-0.3, 0.3, 2) * SIDE / scale
    crop, scale, offset = patch(rng, picture.image, scale, centre)
    boxes = picture.boxes * scale + np.tile(offset, 2)
    return crop, _earlier(rng, crop, boxes), _labels(crop, boxes)


def _labels(crop: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    inside = np.zeros((SIDE, SIDE), np.float32)
    near = np.zeros((SIDE, SIDE), np.float32)
    for x1, y1, x2, y2 in boxes:
        cv2.rectangle(inside, (round(x1), round(y1)), (round(x2), round(y2)), 1.0, -1)
        m = 6 + 0.3 * (y2 - y1)
        corners = (round(x1 - m), round(y1 - m)), (round(x2 + m), round(y2 + m))
        cv2.rectangle(near, *corners, 1.0, -1)
    coloured = flame_colour(crop).astype(np.float32)
    labels = np.zeros((CELLS, CELLS), np.uint8)
    labels[(cells(near) > 0) | (cells(coloured) > 0.1)] = UNSURE
    labels[(cells(inside) > 0.4) & (cells(coloured * inside) > 0.3)] = 1
    return labels


def matte(picture: Picture) -> Matte | None:
    """A flame cut out by its light: colours and opacity; None where it cannot be told apart."""
    box = picture.boxes[np.argmax(np.prod(picture.boxes[:, 2:] - picture.boxes[:, :2], axis=1))]
    x1, y1, x2, y2 = np.maximum(box, 0).astype(int)
    cut = picture.image[y1:y2, x1:x2]
    if min(cut.shape[:2]) < 16:
        return None
    light = cut.astype(np.float32)
    opacity = np.clip((light[..., 2] - 110) / 90, 0, 1) * np.clip(
        (light[..., 2] - light[..., 0] - 15) / 50, 0, 1
    )
    opacity = np.maximum(
        opacity, np.clip((light.min(axis=2) - 205) / 30, 0, 1) * (opacity.mean() > 0.1)
    )
    rim = np.minimum.outer(_ramp(cut.shape[0]), _ramp(cut.shape[1]))
    opacity = cv2.GaussianBlur(opacity * rim, (0, 0), 1.0)
    share = float((opacity > 0.5).mean())
    warmth = (light[..., 2] - light[..., 0])[opacity > 0.5].mean() if share else 0.0
    return (cut, opacity) if 0.12 < share < 0.85 and warmth > 45 else None


def _ramp(size: int) -> np.ndarray:
    edge = max(1.0, 0.08 * size)
    place = np.arange(size) + 0.5
    ramp: np.ndarray = np.clip(np.minimum(place, size - place) / edge, 0, 1)
    return ramp


def burning(
    rng: np.random.Generator, scene: np.ndarray, before: np.ndarray, flames: Sequence[Matte]
) -> tuple[np.ndarray, ...]:
    """Flames set into a quiet scene, of the size they have far away, perhaps with their glow."""
    canvases = [scene.astype(np.float32), before.astype(np.float32)]
    cover = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(rng.integers(1, 3)):
        cut, opacity = flames[int(rng.integers(len(flames)))]
        size = float(np.exp(rng.uniform(np.log(9), np.log(60))))
        scale = size / np.sqrt(cut.shape[0] * cut.shape[1])
        shape = (
            min(SIDE, max(5, round(cut.shape[1] * scale))),
            min(SIDE, max(5, round(cut.shape[0] * scale))),
        )
        small = cv2.resize(cut, shape, interpolation=cv2.INTER_AREA).astype(np.float32)
        alpha = cv2.resize(opacity, shape, interpolation=cv2.INTER_AREA).astype(np.float32)
        if rng.random() < 0.5:
            small, alpha = small[:, ::-1].copy(), alpha[:, ::-1].copy()
        _set_in(rng, canvases, cover, small, alpha * np.float32(rng.uniform(0.75, 1.0)))
    labels = np.zeros((CELLS, CELLS), np.uint8)
    labels[cells(cover) > 0.04] = UNSURE
    labels[cells(cover) > 0.25] = 1
    now, earlier = (np.clip(canvas, 0, 255).astype(np.uint8) for canvas in canvases)
    return now, earlier, labels


def _set_in(
    rng: np.random.Generator,
    canvases: Sequence[np.ndarray],
    cover: np.ndarray,
    small: np.ndarray,
    alpha: np.ndarray,
) -> None:
    height, width = alpha.shape
    x, y = rng.integers(0, SIDE - width + 1), rng.integers(0, SIDE - height + 1)
    place = np.s_[y : y + height, x : x + width]
    cover[place] = np.maximum(cover[place], alpha)
    gain, adds, glows = rng.uniform(0.85, 1.15), rng.random() < 0.5, rng.random() < 0.4
    brightness = rng.uniform(0.2, 1.0)
    size = float(np.sqrt(height * width))
    for number, canvas in enumerate(canvases):
        if number:
            both = np.dstack([small, alpha * 255])
            both = flickered(rng, both, size)
            small, alpha = both[..., :3], both[..., 3] / 255
        behind = 0.1 * canvas[place] if adds else canvas[place]
        # Light adds to what is behind it, or hides it.
        canvas[place] += alpha[..., None] * (small * gain - behind)
        if glows:
            glow: np.ndarray = np.zeros((SIDE, SIDE), np.float32)
            glow[place] = alpha
            glow = cv2.GaussianBlur(glow, (0, 0), max(2.0, height / 2))
            canvas[:] = canvas + glow[..., None] * np.array([10, 60, 120]) * brightness


def lamps(
    rng: np.random.Generator, crop: np.ndarray, before: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lamps with bloom, cones, signs, sunsets, paint, test patterns: none of it burns.

    They stand still, move as a whole, or blink.
    """
    dark = rng.uniform(0.15, 0.7) if rng.random() < 0.5 else 1.0
    seed, count = int(rng.integers(1 << 31)), int(rng.integers(1, 8))
    now = _with_lamps(seed, count, crop * dark)
    earlier = before * dark
    way = rng.random()
    if way < 0.45:
        earlier = _with_lamps(seed, count, earlier)
    elif way < 0.8:
        shift = rng.uniform(-12, 12, 2) * [1, 0.5]
        earlier = moved(_with_lamps(seed, count, moved(earlier, -shift)), shift)
        if rng.random() < 0.3:
            earlier *= rng.uniform(0.7, 1.2)
    return np.clip(now, 0, 255).astype(np.uint8), np.clip(earlier, 0, 255).astype(np.uint8)


def _with_lamps(seed: int, count: int, crop: np.ndarray) -> np.ndarray:
    rng, canvas = np.random.default_rng(seed), crop.astype(np.float32)
    for _ in range(count):
        draw = LOOKALIKES[rng.integers(len(LOOKALIKES))]
        draw(rng, canvas)
    return np.clip(canvas, 0, 255)


def moved(image: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Shifted by (x, y) px."""
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT_101)


def _warm(rng: np.random.Generator) -> np.ndarray:
    hue = rng.uniform(0, 32)  # red to yellow
    colour = np.array([[[int(hue / 2), int(rng.integers(120, 256)), 255]]], np.uint8)
    warm: np.ndarray = cv2.cvtColor(colour, cv2.COLOR_HSV2BGR)[0, 0].astype(np.float32)
    return warm


def _bloom(rng: np.random.Generator, canvas: np.ndarray) -> None:
    x, y = rng.uniform(0, SIDE, 2)
    radius = np.exp(rng.uniform(np.log(0.8), np.log(12)))
    ys, xs = np.mgrid[:SIDE, :SIDE]
    stretch = rng.uniform(0.5, 2.0)
    away = np.hypot((xs - x) * stretch, ys - y) / radius
    light = np.exp(-(away**2)) + rng.uniform(0, 0.5) / (1 + away**2) * (away < 8)
    colour = _warm(rng) if rng.random() < 0.8 else np.array([255.0, 255, 255])
    canvas += light[..., None] * colour * rng.uniform(0.5, 1.6)
    if rng.random() < 0.6:
        canvas += (np.exp(-((away * 1.6) ** 2)) * 255)[..., None]


def _pair(rng: np.random.Generator, canvas: np.ndarray) -> None:
    x, y = rng.integers(5, SIDE - 40, 2)
    gap, w, h = rng.integers(8, 36), rng.integers(2, 8), rng.integers(2, 8)
    colour = (20, 20, 255) if rng.random() < 0.5 else tuple(_warm(rng).tolist())
    for left in (x, x + gap):
        cv2.rectangle(canvas, (int(left), int(y)), (int(left + w), int(y + h)), colour, -1)
    canvas[:] = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.4, 1.2))


def _plate(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """Something painted: one colour, lit unevenly, perhaps striped."""
    x, y = rng.integers(0, SIDE - 10, 2)
    w, h = np.exp(rng.uniform(np.log(5), np.log(70), 2)).astype(int)
    part = canvas[y : y + h, x : x + w]
    shade = np.linspace(rng.uniform(0.5, 1), rng.uniform(0.5, 1), part.shape[0])[:, None, None]
    part[:] = _warm(rng) * shade
    if rng.random() < 0.3:
        step = rng.integers(2, 8)
        part[(np.arange(part.shape[0]) // step) % 2 == 0] = rng.choice([20, 240])


def _cone(rng: np.random.Generator, canvas: np.ndarray) -> None:
    x, y = rng.integers(5, SIDE - 5, 2)
    h = int(rng.integers(6, 40))
    corners = np.array([[x, y - h], [x - h // 3, y], [x + h // 3, y]], np.int32)
    cv2.fillConvexPoly(canvas, corners, (int(rng.integers(0, 60)), int(rng.integers(60, 140)), 245))


def _sunset(rng: np.random.Generator, canvas: np.ndarray) -> None:
    ys, xs = np.mgrid[:SIDE, :SIDE]
    x, y = rng.uniform(0, SIDE, 2)
    light = np.exp(-np.hypot(xs - x, ys - y) / rng.uniform(15, 80))
    canvas += light[..., None] * _warm(rng) * rng.uniform(0.4, 1.5)


def _pattern(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """Bars, gradients and blocks of pure colours, as test pictures and overlays have them."""
    if rng.random() < 0.7:
        return
    kind = rng.integers(3)
    if kind == 0:
        palette = rng.choice([0, 128, 255], (rng.integers(2, 9), 3)).astype(np.float32)
        bars = palette[np.arange(SIDE) * len(palette) // SIDE]
        canvas[:] = bars[None] if rng.random() < 0.5 else bars[:, None]
    elif kind == 1:
        hue = (np.linspace(0, rng.uniform(20, 179), SIDE) + rng.uniform(0, 179)) % 180
        field = np.stack([hue, np.full(SIDE, 255), np.full(SIDE, 255)], axis=1).astype(np.uint8)
        canvas[:] = cv2.cvtColor(field[None], cv2.COLOR_HSV2BGR).astype(np.float32)
        if rng.random() < 0.5:
            canvas[:] = canvas.transpose(1, 0, 2).copy()
    else:
        few = int(rng.integers(2, 24))
        field = rng.integers(0, 256, (few, few, 3)).astype(np.float32)
        way = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_CUBIC
        canvas[:] = cv2.resize(field, (SIDE, SIDE), interpolation=way)


LOOKALIKES = (_bloom, _bloom, _bloom, _pair, _pair, _plate, _plate, _cone, _sunset, _pattern)


def worn(rng: np.random.Generator, crop: np.ndarray) -> np.ndarray:
    """As a camera sends it: exposed, tinted, blurred, noisy, compressed."""
    out: np.ndarray = crop.astype(np.float32)
    if rng.random() < 0.6:
        out = (out - 128) * rng.uniform(0.6, 1.25) + 128 + rng.uniform(-30, 25)
    if rng.random() < 0.5:
        out *= rng.uniform(0.85, 1.15, 3)
    if rng.random() < 0.15:  # haze
        veil = rng.uniform(0.1, 0.45)
        out = out * (1 - veil) + veil * rng.uniform(120, 210)
    if rng.random() < 0.5:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.3, 1.3))
    if rng.random() < 0.4:
        out += rng.normal(0, rng.uniform(1, 7), out.shape)
    out = np.clip(out, 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        quality = int(rng.integers(25, 85))
        packed = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        sent = cv2.imdecode(packed, cv2.IMREAD_COLOR)
        assert sent is not None, "what was just packed can be unpacked"
        out = sent
    return out
