"""The best and the worst run, looked at word by word."""


rule surprisal:
    """Find how much each word of some sentences surprised the best and the worst run."""
    input:
        models_of_runs(),
        encoded("test"),
        summary="<results>/summary.tsv",
        metrics=of_runs("<runs>/{run}/metrics.json"),
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
        encoded("train"),
        summary="<results>/summary.tsv",
        walls=of_runs("<runs>/{run}/wall.tsv"),
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
        models_of_runs(),
        encoded("valid"),
        encoded("test"),
        summary="<results>/summary.tsv",
        metrics=of_runs("<runs>/{run}/metrics.json"),
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
        models_of_runs(),
        summary="<results>/summary.tsv",
        metrics=of_runs("<runs>/{run}/metrics.json"),
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
