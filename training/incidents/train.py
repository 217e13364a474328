"""Trains the judge of impacts; `python -m training.incidents.train --help`.

It needs scikit-learn and onnx besides what the detector needs, and nothing of it is needed to
run it. Every figure is by leave-group-out: no clip is judged by trees that saw its source video.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import threadpoolctl
from detector.impact.voting import Suspicions
from detector.rules.impact import LEAST_HELD
from onnx import helper
from sklearn.ensemble import HistGradientBoostingClassifier

from training.incidents.material import Moments, arguments, is_crash, material

FOLDS = 14
SEEDS = 4
CRASH_WEIGHT = 15.0
"""All moments of one crash together weigh so much …"""
CALM_WEIGHT = 120.0
"""… and those of a clip without one at most so much."""
RISES = ("change", "box_change", "both_change", "pair_change", "score", "colours_kept")
FALLS = ("disagreement", "others_change", "apart_before", "apart_after", "likeness")


def main() -> None:
    """Entry point."""
    parser = arguments("python -m training.incidents.train")
    parser.add_argument("--out", type=Path, help="where to write the ONNX file")
    asked = parser.parse_args()
    names, moments = material(asked)
    held_out = cross_validated(moments, names, jobs=asked.jobs)
    for source in sorted({one.source for one in moments}):
        chosen = [index for index, one in enumerate(moments) if one.source == source]
        print(source)
        report([moments[index] for index in chosen], [held_out[index] for index in chosen])
    if asked.out:
        export(fitted(moments, names), names, asked.out)
        print(asked.out, asked.out.stat().st_size, "bytes")


def single_threaded() -> None:
    """Many small fits beside each other are faster than one at a time on all cores."""
    threadpoolctl.threadpool_limits(1)


def trees(names: Sequence[str], seed: int, passes: int) -> HistGradientBoostingClassifier:
    rule = [int(name in RISES) - int(name in FALLS) for name in names]
    return HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.05, max_leaf_nodes=6, min_samples_leaf=80 * passes,
        l2_regularization=30, max_features=0.15, random_state=seed, monotonic_cst=rule,
        early_stopping=False,
    )  # fmt: skip


def fitted(
    moments: Sequence[Moments], names: Sequence[str]
) -> list[HistGradientBoostingClassifier]:
    """Trees that have learnt from these clips, several times over with other luck.

    However often the clips were shown in variation, together they weigh as much as once.
    """
    passes = max(Counter((one.source, one.clip.name) for one in moments).values())
    table = np.vstack([one.features[one.counts] for one in moments])
    crash = np.hstack([one.crash[one.counts] for one in moments])
    weight = np.hstack([weights(one.crash[one.counts]) for one in moments]) / passes
    return [
        trees(names, seed, passes).fit(table, crash, sample_weight=weight) for seed in range(SEEDS)
    ]


def likelihoods(judges: Sequence[HistGradientBoostingClassifier], table: np.ndarray) -> np.ndarray:
    """(N,) of the mean of their log odds."""
    odds = np.mean([judge.decision_function(table) for judge in judges], axis=0)
    likely: np.ndarray = 1 / (1 + np.exp(-odds))
    return likely


def weights(crash: np.ndarray) -> np.ndarray:
    """(N,) so that long clips and slow crashes do not outvote the others."""
    calm = ~crash
    weight = np.ones(len(crash))
    weight[crash] = CRASH_WEIGHT / max(1, crash.sum())
    weight[calm] = min(1.0, CALM_WEIGHT / max(1, calm.sum()))
    return weight


def folds(groups: Iterable[str]) -> dict[str, int]:
    """Which part of the material is held out with each source video; the same for ever."""
    names = sorted(set(groups))
    order = np.random.default_rng(0).permutation(len(names))
    return {name: int(order[index]) % FOLDS for index, name in enumerate(names)}


def cross_validated(
    moments: Sequence[Moments], names: Sequence[str], *, jobs: int
) -> list[np.ndarray]:
    """Likelihoods of each clip's moments by trees that saw nothing of its source."""
    fold = folds(one.group for one in moments)
    parts = [
        [index for index, one in enumerate(moments) if fold[one.group] == number]
        for number in range(FOLDS)
    ]
    likely: list[np.ndarray] = [np.zeros(0)] * len(moments)
    with ProcessPoolExecutor(jobs, initializer=single_threaded) as pool:
        for part, found in zip(
            parts, pool.map(_judged, ((moments, part, names) for part in parts)), strict=True
        ):
            for index, values in zip(part, found, strict=True):
                likely[index] = values
    return likely


def _judged(task: tuple[Sequence[Moments], Sequence[int], Sequence[str]]) -> list[np.ndarray]:
    moments, held_out, names = task
    judges = fitted([one for index, one in enumerate(moments) if index not in held_out], names)
    return [likelihoods(judges, moments[index].features) for index in held_out]


def first_alarm(one: Moments, likely: np.ndarray, threshold: float) -> float:
    """When the rule would alarm if `threshold` were the peak that it wants; infinity if never."""
    suspicions = Suspicions()
    for t, track_id, likelihood in zip(one.t, one.track, likely, strict=True):
        suspicion = suspicions.add(int(track_id), float(t), float(likelihood))
        if suspicion.held >= LEAST_HELD and suspicion.peak >= threshold:
            return float(t)
    return float("inf")


def report(moments: Sequence[Moments], likely: Sequence[np.ndarray]) -> None:
    """Per threshold: crashes found, their median delay, and clips with a false alarm."""
    print("threshold  crashes  early  normal clips  median delay")
    for threshold in np.arange(LEAST_HELD, 0.96, 0.05):
        delays, early, false = [], 0, []
        for one, values in zip(moments, likely, strict=True):
            alarm = first_alarm(one, values, threshold)
            if not one.clip.scored or not np.isfinite(alarm):
                continue
            if is_crash(one.clip):
                assert one.clip.t_event_s is not None, "a scored crash has its time"
                delay = alarm - one.clip.t_event_s
                early += delay < -0.3
                delays += [delay] if delay >= -0.3 else []
            elif one.clip.type is None:
                false.append(one.clip.name)
        middle = np.median(delays) if delays else np.nan
        print(
            f"{threshold:9.2f} {len(delays):8d} {early:6d} {len(false):8d} {middle:10.2f} s",
            *sorted(set(false))[:6],
        )


def export(
    judges: Sequence[HistGradientBoostingClassifier], names: Sequence[str], path: Path
) -> None:
    """Write the trees as ONNX, with the order of the features in its metadata."""
    nodes: dict[str, list[Any]] = {name: [] for name in NODE_ATTRIBUTES}
    boosts = [(judge, step[0].nodes) for judge in judges for step in judge._predictors]
    for tree, (_, of_tree) in enumerate(boosts):
        for number, node in enumerate(of_tree):
            _add_node(nodes, tree, number, node, share=1 / len(judges))
    base = float(np.mean([judge._baseline_prediction for judge in judges]))
    ensemble = helper.make_node(
        "TreeEnsembleRegressor", ["features"], ["odds"], domain="ai.onnx.ml",
        n_targets=1, base_values=[base], aggregate_function="SUM", **nodes,
    )  # fmt: skip
    squash = helper.make_node("Sigmoid", ["odds"], ["likelihood"])
    taken = helper.make_tensor_value_info("features", onnx.TensorProto.FLOAT, [None, len(names)])
    told = helper.make_tensor_value_info("likelihood", onnx.TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph([ensemble, squash], "impact", [taken], [told])
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8)
    helper.set_model_props(model, {"features": " ".join(names)})
    path.write_bytes(model.SerializeToString())


NODE_ATTRIBUTES = (
    "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_modes", "nodes_values",
    "nodes_truenodeids", "nodes_falsenodeids",
    "target_treeids", "target_nodeids", "target_ids", "target_weights",
)  # fmt: skip


def _add_node(
    nodes: dict[str, list[Any]], tree: int, number: int, node: Any, *, share: float
) -> None:
    leaf = bool(node["is_leaf"])
    row = (
        tree, number, int(node["feature_idx"]), "LEAF" if leaf else "BRANCH_LEQ",
        0.0 if leaf else float(node["num_threshold"]), int(node["left"]), int(node["right"]),
    )  # fmt: skip
    for name, value in zip(NODE_ATTRIBUTES, row, strict=False):
        nodes[name].append(value)
    if leaf:
        for name, value in zip(
            NODE_ATTRIBUTES[7:], (tree, number, 0, float(node["value"]) * share), strict=True
        ):
            nodes[name].append(value)


if __name__ == "__main__":
    main()
