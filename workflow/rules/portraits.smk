"""The best and the worst run, looked at word by word."""


rule surprisal:
    """Find how much each word of some sentences surprised the best and the worst run."""
    input:
        "<corpus>/encoded",
        summary="<results>/summary.tsv",
        inventory="<results>/inventory.tsv",
        vocabulary="<corpus>/vocabulary.tsv",
        sentences="<corpus>/test.txt",
    output:
        table="<results>/portraits/surprisal.tsv",
    log:
        "<logs>/surprisal.log",
    benchmark:
        "<benchmarks>/surprisal.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=largest_model_mb,
        runtime=short_minutes,
    params:
        portraits=config["portraits"],
        code=stage_code("surprisal"),
    script:
        "../scripts/surprisal.py"


rule wall:
    """Find what the best run's sentences copied from training, by epoch and temperature."""
    input:
        "<corpus>/encoded",
        summary="<results>/summary.tsv",
        inventory="<results>/inventory.tsv",
        vocabulary="<corpus>/vocabulary.tsv",
    output:
        table="<results>/portraits/wall.tsv",
    log:
        "<logs>/wall.log",
    benchmark:
        "<benchmarks>/wall.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=text_mb,
        runtime=text_minutes,
    params:
        unit=config["text"]["unit"],
        code=stage_code("wall"),
    script:
        "../scripts/wall.py"


rule units:
    """Find what single hidden units of the best run do over sentences."""
    input:
        "<corpus>/encoded",
        summary="<results>/summary.tsv",
        inventory="<results>/inventory.tsv",
        vocabulary="<corpus>/vocabulary.tsv",
        sentences="<corpus>/test.txt",
    output:
        table="<results>/portraits/units.tsv",
    log:
        "<logs>/units.log",
    benchmark:
        "<benchmarks>/units.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=largest_model_mb,
        runtime=short_minutes,
    params:
        portraits=config["portraits"],
        code=stage_code("units"),
    script:
        "../scripts/units.py"


rule neighbours:
    """Find the words that are nearest to frequent ones by the best run's input weights."""
    input:
        summary="<results>/summary.tsv",
        inventory="<results>/inventory.tsv",
    output:
        table="<results>/portraits/neighbours.tsv",
    log:
        "<logs>/neighbours.log",
    benchmark:
        "<benchmarks>/neighbours.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=largest_model_mb,
        runtime=short_minutes,
    params:
        portraits=config["portraits"],
        code=stage_code("neighbours"),
    script:
        "../scripts/neighbours.py"
