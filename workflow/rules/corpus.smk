"""From a source of text to word ids."""


def corpus_source(wildcards):
    """What the text is made from: the download, the user's files, or installed packages (no file)."""
    if config["corpus"]["source"] == "url":
        return f"results/downloads/{config['corpus']['sha256']}"
    return [str(path) for path in SOURCES]


def corpus_versions(wildcards):
    """The versions of the packages whose documentation is read, so that an update is noticed."""
    return acquire.versions(CorpusConfig(**config["corpus"]))


rule download:
    """Fetch the file of corpus.url, to be kept under its checksum."""
    output:
        "results/downloads/{sha256}",
    log:
        "<logs>/download-{sha256}.log",
    wildcard_constraints:
        sha256="[0-9a-f]{64}",
    params:
        corpus=config["corpus"],
        code=stage_code("download"),
    conda:
        "../envs/unrolled.yaml"
    script:
        "../scripts/download.py"


rule acquire:
    """Bring the text here and note where it came from."""
    input:
        source=corpus_source,
    output:
        raw=directory("<corpus>/raw"),
        provenance="<corpus>/provenance.json",
    log:
        "<logs>/acquire.log",
    params:
        corpus=config["corpus"],
        versions=corpus_versions,
        code=stage_code("acquire"),
    conda:
        "../envs/unrolled.yaml"
    script:
        "../scripts/acquire.py"


rule prepare:
    """Split by document, find sentences, cut them into words."""
    input:
        raw="<corpus>/raw",
    output:
        train="<corpus>/train.txt",
        valid="<corpus>/valid.txt",
        test="<corpus>/test.txt",
        rejected="<corpus>/rejected.tsv",
    log:
        "<logs>/prepare.log",
    params:
        text=config["text"],
        column=config["corpus"]["column"],
        code=stage_code("prepare"),
    conda:
        "../envs/unrolled.yaml"
    script:
        "../scripts/prepare.py"


rule vocabulary:
    """Choose the words that the models know, from the training split alone."""
    input:
        train="<corpus>/train.txt",
    output:
        vocabulary="<corpus>/vocabulary.tsv",
    log:
        "<logs>/vocabulary.log",
    params:
        text=config["text"],
        code=stage_code("vocabulary"),
    conda:
        "../envs/unrolled.yaml"
    script:
        "../scripts/vocabulary.py"


rule encode:
    """Turn words into ids and describe the corpus."""
    input:
        train="<corpus>/train.txt",
        valid="<corpus>/valid.txt",
        test="<corpus>/test.txt",
        vocabulary="<corpus>/vocabulary.tsv",
        rejected="<corpus>/rejected.tsv",
    output:
        encoded("train"),
        encoded("valid"),
        encoded("test"),
        profile="<corpus>/profile.json",
    log:
        "<logs>/encode.log",
    params:
        code=stage_code("encode"),
    conda:
        "../envs/unrolled.yaml"
    script:
        "../scripts/encode.py"


rule baselines:
    """Measure what the models must beat."""
    input:
        encoded("train"),
        encoded("valid"),
        encoded("test"),
        vocabulary="<corpus>/vocabulary.tsv",
    output:
        baselines="<corpus>/baselines.tsv",
    log:
        "<logs>/baselines.log",
    params:
        code=stage_code("baselines"),
    conda:
        "../envs/unrolled.yaml"
    script:
        "../scripts/baselines.py"
