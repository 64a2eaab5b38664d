"""How gradients travel in a trained run."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from unrolled.analysis.activations import EDGES, ActivationHistogram, activation_histograms
from unrolled.analysis.gradient_flow import arrival, singular_values, truncation_cosines
from unrolled.config.sections import GradientFlowConfig, ModelConfig, TrainingConfig
from unrolled.model.files import read_model
from unrolled.model.network import Network
from unrolled.model.packing import PackedBatch, pack
from unrolled.stages.untrained import untrained_network
from unrolled.storage import Cell, read_json, write_tsv
from unrolled.text.dataset import Dataset, read_dataset

Rows = list[dict[str, Cell]]

COLUMNS = {
    "arrival": ["lag", "outputs", "share", "lower_quartile", "median", "upper_quartile"],
    "cosines": ["depth", "cosine", "length_ratio"],
    "singular_values": ["gate", "rank", "before", "after"],
    "activations": ["activation", "function", "from", "to", "share"],
    "saturation": ["activation", "function", "saturated_share", "mean_relative_slope"],
}
"""The tables and their columns."""


def run(
    config: GradientFlowConfig,
    model: ModelConfig,
    training: TrainingConfig,
    run_folder: Path | str,
    corpus: Path | str,
    folder: Path | str,
) -> None:
    """Write the tables of `COLUMNS`; headers only if the run diverged.

    Args:
        config: what is measured on.
        model: the run's network.
        training: its recipe. The seed makes the untrained network; the truncation depth is one of
            those at which truncated and full gradient are compared.
        run_folder: of the trained run.
        corpus: the folder of the vocabulary, the encoded validation split and, where the model goes
            by them, the word classes.
        folder: where the tables go.
    """
    run_folder, corpus, folder = Path(run_folder), Path(corpus), Path(folder)
    tables: dict[str, Rows] = {}
    if read_json(run_folder / "metrics.json")["state"] == "finished":
        network, vocabulary, _ = read_model(run_folder / "model")
        validation = read_dataset(corpus / "encoded/valid", len(vocabulary))
        before = untrained_network(model, corpus, vocabulary, training.seed)
        depths = _depths(config.deepest, training.depth_limit)
        batch = _sample(validation, config.sentences)
        tables = _tables(before, network, batch, config.deepest, depths)
    for name, columns in COLUMNS.items():
        write_tsv(folder / f"{name}.tsv", columns, tables.get(name, []))


def _sample(dataset: Dataset, count: int) -> PackedBatch:
    """So many sentences, evenly spread over the split."""
    chosen = np.unique(np.linspace(0, len(dataset) - 1, count).round().astype(int))
    return pack([dataset[index] for index in chosen.tolist()])


def _tables(
    before: Network, network: Network, batch: PackedBatch, deepest: int, depths: Sequence[int]
) -> dict[str, Rows]:
    histograms = activation_histograms(network, batch)
    return {
        "arrival": [asdict(lag) for lag in arrival(network, batch, deepest).lags],
        "cosines": list(map(asdict, truncation_cosines(network, batch, depths))),
        "singular_values": _singular_values(before, network),
        "activations": _activations(histograms),
        "saturation": [
            {
                "activation": histogram.name,
                "function": histogram.function,
                "saturated_share": histogram.saturated_share,
                "mean_relative_slope": histogram.mean_relative_slope,
            }
            for histogram in histograms
        ],
    }


def _depths(deepest: int, own: int | None) -> list[int]:
    """0, the powers of two, the deepest, and the one at which training truncated, if it did."""
    powers = [2**power for power in range(deepest.bit_length())]
    return sorted({0, *powers, deepest, deepest if own is None else own})


def _singular_values(before: Network, after: Network) -> Rows:
    gates = after.cell.GATES
    values = [
        singular_values(network.parameters["recurrent_weights"], len(gates))
        for network in (before, after)
    ]
    return [
        {"gate": gate, "rank": rank, "before": float(old), "after": float(new)}
        for gate, olds, news in zip(gates, *values, strict=True)
        for rank, (old, new) in enumerate(zip(olds, news, strict=True), start=1)
    ]


def _activations(histograms: Sequence[ActivationHistogram]) -> Rows:
    return [
        {
            "activation": histogram.name,
            "function": histogram.function,
            "from": float(EDGES[place]),
            "to": float(EDGES[place + 1]),
            "share": share,
        }
        for histogram in histograms
        for place, share in enumerate(histogram.shares)
    ]
