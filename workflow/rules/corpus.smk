"""From a source of text to word ids."""


rule download:
    """Fetch the file of corpus.url, to be kept under its checksum."""
    output:
        DOWNLOAD,
    log:
        "<logs>/download.log",
    conda:
        "../envs/unrolled.yaml"
    params:
        corpus=config["corpus"],
        code=stage_code("download"),
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
    conda:
        "../envs/unrolled.yaml"
    params:
        corpus=config["corpus"],
        versions=corpus_versions,
        code=stage_code("acquire"),
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
    conda:
        "../envs/unrolled.yaml"
    params:
        text=config["text"],
        column=config["corpus"]["column"],
        code=stage_code("prepare"),
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
    conda:
        "../envs/unrolled.yaml"
    params:
        text=config["text"],
        code=stage_code("vocabulary"),
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
    conda:
        "../envs/unrolled.yaml"
    params:
        code=stage_code("encode"),
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
    conda:
        "../envs/unrolled.yaml"
    params:
        code=stage_code("baselines"),
    script:
        "../scripts/baselines.py"
