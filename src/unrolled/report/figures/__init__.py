"""The pictures of a sweep.

Each shows one table, which lies beside it. No corpus word is drawn here: the page shows those
as text.
"""

from unrolled.report.figures.activations import activation_figure
from unrolled.report.figures.arrival import arrival_figure
from unrolled.report.figures.cosines import cosine_figure
from unrolled.report.figures.gradient_check import gradient_figure
from unrolled.report.figures.lengths import length_figure
from unrolled.report.figures.loss import loss_figure
from unrolled.report.figures.perplexity import perplexity_figure
from unrolled.report.figures.singular_values import singular_value_figure
from unrolled.report.figures.spread import spread_figure

__all__ = [
    "activation_figure",
    "arrival_figure",
    "cosine_figure",
    "gradient_figure",
    "length_figure",
    "loss_figure",
    "perplexity_figure",
    "singular_value_figure",
    "spread_figure",
]
