"""The pictures that matplotlib draws.

Each module has the figure, the table of what it shows, and the sentence that its numbers say, put
together as a picture. No corpus word is drawn here: the page shows those as text.
"""

from unrolled.report.figures.activations import activation_figure, activation_picture
from unrolled.report.figures.agreement import agreement_figure, agreement_picture
from unrolled.report.figures.arrival import arrival_figure, arrival_picture
from unrolled.report.figures.cosines import cosine_figure, cosine_picture
from unrolled.report.figures.cost import cost_figure, cost_picture
from unrolled.report.figures.differences import difference_figure, difference_picture
from unrolled.report.figures.frequencies import frequency_figure, frequency_picture
from unrolled.report.figures.gradient_check import gradient_figure, gradient_picture
from unrolled.report.figures.lengths import length_figure, length_picture
from unrolled.report.figures.loss import loss_figure, loss_picture
from unrolled.report.figures.perplexity import perplexity_figure, perplexity_picture
from unrolled.report.figures.side_by_side import side_by_side_figure, side_by_side_picture
from unrolled.report.figures.singular_values import singular_value_figure, singular_value_picture
from unrolled.report.figures.spread import spread_figure, spread_picture
from unrolled.report.figures.stages import stage_figure, stage_picture

__all__ = [
    "activation_figure",
    "activation_picture",
    "agreement_figure",
    "agreement_picture",
    "arrival_figure",
    "arrival_picture",
    "cosine_figure",
    "cosine_picture",
    "cost_figure",
    "cost_picture",
    "difference_figure",
    "difference_picture",
    "frequency_figure",
    "frequency_picture",
    "gradient_figure",
    "gradient_picture",
    "length_figure",
    "length_picture",
    "loss_figure",
    "loss_picture",
    "perplexity_figure",
    "perplexity_picture",
    "side_by_side_figure",
    "side_by_side_picture",
    "singular_value_figure",
    "singular_value_picture",
    "spread_figure",
    "spread_picture",
    "stage_figure",
    "stage_picture",
]
