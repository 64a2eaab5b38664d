"""Sentences from a grammar in the place of text: how they are made, and what only they can tell."""


rule draw:
    """Draw the sentences of each split from the grammar."""
    input:
        raw="<corpus>/raw",
    output:
        train="<corpus>/train.txt",
        valid="<corpus>/valid.txt",
        test="<corpus>/test.txt",
        accounts="<corpus>/accounts.json",
    log:
        "<logs>/draw.log",
    benchmark:
        "<benchmarks>/draw.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=text_mb,
        runtime=text_minutes,
    params:
        grammar=config["grammar"],
        code=stage_code("draw"),
    script:
        "../scripts/draw.py"


rule measure_grammar:
    """Find the least loss that the grammar allows."""
    input:
        raw="<corpus>/raw",
        valid="<corpus>/valid.txt",
        test="<corpus>/test.txt",
    output:
        floor="<corpus>/floor.tsv",
        agreement="<corpus>/agreement.tsv",
        entropy="<corpus>/entropy.json",
    log:
        "<logs>/measure_grammar.log",
    benchmark:
        "<benchmarks>/measure_grammar.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=text_mb,
        runtime=text_minutes,
    params:
        grammar=config["grammar"],
        code=stage_code("measure_grammar"),
    script:
        "../scripts/measure_grammar.py"


rule agreements:
    """Put all runs' losses of agreeing words into one table."""
    input:
        summary="<results>/summary.tsv",
        inventory="<results>/inventory.tsv",
        of_corpus="<corpus>/agreement.tsv",
    output:
        table="<results>/agreement.tsv",
    log:
        "<logs>/agreements.log",
    benchmark:
        "<benchmarks>/agreements.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=sweep_mb,
        runtime=sweep_minutes,
    params:
        experiment=EXPERIMENT,
        code=stage_code("agreements"),
    script:
        "../scripts/agreements.py"


rule agreement_figure:
    """Draw the losses of agreeing words, those of experiments beside this one too."""
    input:
        tables=AGREEMENTS,
    output:
        drawn(AGREEMENT_PICTURES),
        beside_drawings(AGREEMENT_PICTURES),
    log:
        "<logs>/agreement_figure.log",
    benchmark:
        "<benchmarks>/agreement_figure.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=small_mb,
        runtime=short_minutes,
    params:
        code=stage_code("agreement_figure"),
    script:
        "../scripts/agreement_figure.py"
