"""The pictures of the report, and the files of each."""

from unrolled.report import pictures as picture_files

PICTURES = {
    "frequencies": ("Text", "how frequent words are"),
    "lengths": ("Text", "lengths of sentences"),
    "gradient_check": ("Proof", "errors of the gradients"),
    "loss": ("Training", "loss of every run"),
    "arrival": ("Gradients", "how far back gradients travel"),
    "cosines": ("Gradients", "what truncation does to gradients"),
    "singular_values": ("Gradients", "singular values of recurrent weights"),
    "activations": ("Gradients", "where functions are saturated"),
    "perplexity": ("Results", "test perplexity"),
    "differences": ("Results", "differences between settings"),
    "spread": ("Results", "every run beside its seeds"),
}
TIME_PICTURES = {
    "cost": ("Time", "time against perplexity"),
    "stages": ("Time", "where the time went"),
}
AGREEMENT_PICTURES = {"agreement": ("Results", "agreement over distances")}
SIDE_BY_SIDE = {"side_by_side": ("Results", "experiments together")}
REPORTED_PICTURES = [*PICTURES, *TIME_PICTURES]
REPORTED_PICTURES += AGREEMENT_PICTURES if FROM_GRAMMAR else []
PICTURES_OF_WORDS = {
    "classes": ("Text", "the most telling word classes"),
    "proof": ("Proof", "gates and planted faults"),
    "surprise": ("Words", "what surprised the best and the worst run"),
    "inside": ("Words", "hidden units and nearest neighbours"),
    "samples": ("Words", "sentences by epoch and temperature"),
}
PORTRAITS = ["surprisal", "wall", "units", "neighbours"]


def for_own_report(path, name, category, what):
    """A file that Snakemake's own report shows as well."""
    caption = f"../report/{name}.rst"
    return report(path, caption=caption, category=category, labels={"what": what})


def drawn(pictures):
    """The wide drawing of each picture."""
    return [
        for_own_report(f"<figures>/{name}.svg", name, *shown)
        for name, shown in pictures.items()
    ]


def beside_drawings(pictures):
    """What else is written of each picture: the narrow drawing, the table, and what it says."""
    return expand(
        "<figures>/{picture}{suffix}",
        picture=pictures,
        suffix=picture_files.SUFFIXES[1:],
    )


def section_pages():
    """The sections whose pictures are made of words, as pages of their own."""
    return [
        for_own_report(f"<figures>/{name}.html", name, *shown)
        for name, shown in PICTURES_OF_WORDS.items()
    ]
