"""What the models must beat on this corpus."""

from pathlib import Path

from unrolled.analysis.baselines import fit_baselines
from unrolled.analysis.measures import perplexity
from unrolled.storage import write_tsv
from unrolled.text.dataset import read_dataset
from unrolled.text.vocabulary import read_vocabulary

COLUMNS = ["model", "split", "loss_nats_per_token", "perplexity"]


def run(corpus: Path | str, baselines: Path | str) -> None:
    """Write the loss of each baseline on the validation and the test split.

    Args:
        corpus: the folder of vocabulary.tsv and the encoded splits.
        baselines: the table to write.
    """
    corpus = Path(corpus)
    vocabulary_size = len(read_vocabulary(corpus / "vocabulary.tsv"))
    models = fit_baselines(read_dataset(corpus / "train", vocabulary_size), vocabulary_size)
    rows = [
        {
            "model": model,
            "split": split,
            "loss_nats_per_token": loss,
            "perplexity": perplexity(loss),
        }
        for split in ("valid", "test")
        for model, loss in models.losses(read_dataset(corpus / split, vocabulary_size)).items()
    ]
    write_tsv(baselines, COLUMNS, rows)
