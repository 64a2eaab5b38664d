"""From a source of text to word ids."""

if config["corpus"]["source"] == "url":

    rule download:
        """Fetch the file of corpus.url, to be kept under its checksum and shared."""
        # Without params: whatever else changes, a file of this checksum is the right one.
        output:
            DOWNLOAD,
        log:
            "<logs>/download.log",
        localrule: True  # nodes of a cluster often have no network
        conda:
            "../envs/unrolled.yaml"
        resources:
            mem_mb=small_mb,
            runtime=text_minutes,
        script:
            "../scripts/download.py"


rule acquire:
    """Bring the text here."""
    input:
        source=corpus_source,
    output:
        raw=directory("<corpus>/raw"),
    log:
        "<logs>/acquire.log",
    benchmark:
        "<benchmarks>/acquire.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=text_mb,
        runtime=text_minutes,
    params:
        origin=corpus_origin,
        code=stage_code("acquire"),
    script:
        "../scripts/acquire.py"


rule provenance:
    """Note where the text came from."""
    input:
        raw="<corpus>/raw",
    output:
        provenance="<corpus>/provenance.json",
    log:
        "<logs>/provenance.log",
    benchmark:
        "<benchmarks>/provenance.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=small_mb,
        runtime=short_minutes,
    params:
        origin=section_part(config, "corpus", OriginConfig),
        code=stage_code("provenance"),
    script:
        "../scripts/provenance.py"


if not FROM_GRAMMAR:

    rule prepare:
        """Read and clean documents, split them, and cut them into sentences and words."""
        input:
            raw="<corpus>/raw",
        output:
            train="<corpus>/train.txt",
            valid="<corpus>/valid.txt",
            test="<corpus>/test.txt",
            rejected="<corpus>/rejected.tsv",
            put_aside="<corpus>/put_aside.tsv",
            punkt="<corpus>/punkt.json",
            accounts="<corpus>/accounts.json",
        log:
            "<logs>/prepare.log",
        benchmark:
            "<benchmarks>/prepare.tsv"
        conda:
            "../envs/unrolled.yaml"
        resources:
            mem_mb=text_mb,
            runtime=text_minutes,
        params:
            reading=section_part(config, "corpus", ReadingConfig),
            cleaning=config["cleaning"],
            text=section_part(config, "text", TextConfig),
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
    benchmark:
        "<benchmarks>/vocabulary.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=text_mb,
        runtime=text_minutes,
    params:
        text=section_part(config, "text", VocabularyConfig),
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
        accounts="<corpus>/accounts.json",
    output:
        encoded=directory("<corpus>/encoded"),
        profile="<corpus>/profile.json",
    log:
        "<logs>/encode.log",
    benchmark:
        "<benchmarks>/encode.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=text_mb,
        runtime=text_minutes,
    params:
        closed=FROM_GRAMMAR,
        unknown_token=unknown_token,
        code=stage_code("encode"),
    script:
        "../scripts/encode.py"


rule classes:
    """Put words into classes, by the training split alone."""
    input:
        "<corpus>/encoded",
        vocabulary="<corpus>/vocabulary.tsv",
    output:
        classes="<corpus>/classes.tsv",
        telling="<corpus>/telling_classes.tsv",
    log:
        "<logs>/classes.log",
    benchmark:
        "<benchmarks>/classes.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=text_mb,
        runtime=text_minutes,
    params:
        classes=config["classes"],
        code=stage_code("classes"),
    script:
        "../scripts/classes.py"


rule baselines:
    """Measure what the models must beat."""
    input:
        "<corpus>/encoded",
        vocabulary="<corpus>/vocabulary.tsv",
        floor=FLOOR,
    output:
        baselines="<corpus>/baselines.tsv",
    log:
        "<logs>/baselines.log",
    benchmark:
        "<benchmarks>/baselines.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=text_mb,
        runtime=text_minutes,
    params:
        code=stage_code("baselines"),
    script:
        "../scripts/baselines.py"
