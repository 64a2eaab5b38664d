"""A run for each point of the sweep, and what it can do."""


rule train:
    """Train a run."""
    input:
        encoded("train"),
        encoded("valid"),
        vocabulary="<corpus>/vocabulary.tsv",
        classes=classes_of_run,
        gates=gates_of_run,
    output:
        TRAINED_MODEL,
        history="<runs>/{run}/history.tsv",
        metrics="<runs>/{run}/metrics.json",
        timing="<runs>/{run}/timing.tsv",
        provenance="<runs>/{run}/provenance.json",
        wall="<runs>/{run}/wall.tsv",
    log:
        "<logs>/train/{run}.log",
    benchmark:
        "<benchmarks>/train/{run}.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=training_mb,
        runtime=training_minutes,
    params:
        model=model_of_run,
        training=training_of_run,
        tokens=section_part(config, "text", TokensConfig),
        code=stage_code("train"),
    script:
        "../scripts/train.py"


rule evaluate:
    """Measure how well a run predicts the test split."""
    input:
        TRAINED_MODEL,
        encoded("test"),
        vocabulary="<corpus>/vocabulary.tsv",
        metrics="<runs>/{run}/metrics.json",
        floor=FLOOR,
    output:
        evaluation="<runs>/{run}/evaluation.tsv",
    log:
        "<logs>/evaluate/{run}.log",
    benchmark:
        "<benchmarks>/evaluate/{run}.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=model_of_run_mb,
        runtime=short_minutes,
    params:
        code=stage_code("evaluate"),
    script:
        "../scripts/evaluate.py"


rule sample:
    """Draw sentences from a run."""
    input:
        TRAINED_MODEL,
        metrics="<runs>/{run}/metrics.json",
    output:
        samples="<runs>/{run}/samples.tsv",
    log:
        "<logs>/sample/{run}.log",
    benchmark:
        "<benchmarks>/sample/{run}.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=model_of_run_mb,
        runtime=short_minutes,
    params:
        sampling=config["sampling"],
        code=stage_code("sample"),
    script:
        "../scripts/sample.py"


rule gradient_flow:
    """Measure how gradients travel in a run."""
    input:
        TRAINED_MODEL,
        encoded("valid"),
        vocabulary="<corpus>/vocabulary.tsv",
        classes=classes_of_run,
        metrics="<runs>/{run}/metrics.json",
    output:
        GRADIENT_FLOW,
    log:
        "<logs>/gradient_flow/{run}.log",
    benchmark:
        "<benchmarks>/gradient_flow/{run}.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=model_of_run_mb,
        runtime=short_minutes,
    params:
        gradient_flow=config["gradient_flow"],
        model=model_of_run,
        training=training_of_run,
        code=stage_code("gradient_flow"),
    script:
        "../scripts/gradient_flow.py"


rule score:
    """Find how probable a run holds the user's own sentences."""
    input:
        TRAINED_MODEL,
        metrics="<runs>/{run}/metrics.json",
        sentences=own_file(OWN_SENTENCES) if OWN_SENTENCES else [],
    output:
        by_sentence="<runs>/{run}/own_sentences.tsv",
        by_word="<runs>/{run}/own_words.tsv",
    log:
        "<logs>/score/{run}.log",
    benchmark:
        "<benchmarks>/score/{run}.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=model_of_run_mb,
        runtime=short_minutes,
    params:
        code=stage_code("score"),
    script:
        "../scripts/score.py"
