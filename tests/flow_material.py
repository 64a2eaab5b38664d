"""How gradients travel in the runs of a small sweep, made by hand, for the tests of the report."""

from collections.abc import Mapping, Sequence

from report_material import summary_row
from unrolled.report.flow import Flow

GATES = {
    "elman": ["state"],
    "gru": ["reset", "update", "candidate"],
    "lstm": ["input", "forget", "candidate", "output"],
}

FUNCTIONS = {
    "elman": {"state": "tanh"},
    "gru": {"reset": "sigmoid", "update": "sigmoid", "candidate": "tanh"},
    "lstm": {
        "input": "sigmoid",
        "forget": "sigmoid",
        "candidate": "tanh",
        "output": "sigmoid",
        "memory shown": "tanh",
    },
}


def flow_of(
    shares: Sequence[float] = (1.0, 0.25),
    cosines: Mapping[int, float] | None = None,
    gates: Sequence[str] = ("state",),
    after: Sequence[float] = (2.0, 0.5),
    functions: Mapping[str, str] | None = None,
    bins: Sequence[float] = (0.25, 0.75),
    saturated_share: float = 0.125,
) -> Flow:
    """The tables of a run as they are read.

    Args:
        shares: of the gradient, at lag 0, 1 and so on, each over a hundred outputs.
        cosines: by depth.
        gates: each with the same singular values.
        after: these, after training; before they are all 1.
        functions: by activation; tanh of the gates where not given.
        bins: the shares of arguments, over -6 to 6.
        saturated_share: of each activation.
    """
    functions = dict.fromkeys(gates, "tanh") if functions is None else functions
    width = 12 / len(bins)
    return Flow(
        arrival=[
            {"lag": str(lag), "outputs": "100", "share": str(share)}
            for lag, share in enumerate(shares)
        ],
        cosines=[
            {"depth": str(depth), "cosine": str(cosine)}
            for depth, cosine in ({0: 0.5, 1: 1.0} if cosines is None else cosines).items()
        ],
        singular_values=[
            {"gate": gate, "rank": str(rank), "before": "1.0", "after": str(value)}
            for gate in gates
            for rank, value in enumerate(after, start=1)
        ],
        activations=[
            {
                "activation": activation,
                "function": function,
                "from": str(-6 + width * place),
                "to": str(-6 + width * (place + 1)),
                "share": str(share),
            }
            for activation, function in functions.items()
            for place, share in enumerate(bins)
        ],
        saturation=[
            {
                "activation": activation,
                "function": function,
                "saturated_share": str(saturated_share),
                "mean_relative_slope": "0.5",
            }
            for activation, function in functions.items()
        ],
    )


def sweep_of(
    cells: Sequence[str] = ("elman",),
    sizes: Sequence[int] = (5,),
    depths: Sequence[str] = ("full",),
    seeds: int = 1,
) -> list[dict[str, str]]:
    """The rows of a summary; the validation loss rises from run to run: the first is the best."""
    points = [
        (cell, size, depth, seed)
        for cell in cells
        for size in sizes
        for depth in depths
        for seed in range(1, seeds + 1)
    ]
    return [
        summary_row(
            f"{cell}-{size}-{depth}-{seed}",
            str(size),
            depth,
            str(seed),
            str(1 + 0.01 * place),
            "5.0",
            cell=cell,
        )
        for place, (cell, size, depth, seed) in enumerate(points)
    ]


def flows_of(rows: Sequence[Mapping[str, str]]) -> dict[str, Flow]:
    """The same of each run, with the gates of its cell."""
    return {row["run"]: flow_of(gates=GATES[row["cell"]]) for row in rows}
