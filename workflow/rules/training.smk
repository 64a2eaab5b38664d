"""A run for each point of the sweep."""


rule train_and_measure:
    """Train a run, and measure how well it predicts, what it writes, and how its gradients travel."""

    # One job and one output for all of it: what a dry run of ten thousand runs takes goes by their
    # number. Training is not done again for another measure, see `checkpoints` in config.yaml.
    input:
        "<corpus>/encoded",
        vocabulary="<corpus>/vocabulary.tsv",
        classes=classes_of_run,
        of_grammar=GRAMMAR_TABLES,
        own_sentences=own_file(OWN_SENTENCES) if OWN_SENTENCES else [],
        gate=gate_of_run,
    output:
        directory("<runs>/{run}"),
    log:
        "<logs>/train_and_measure/{run}.log",
    benchmark:
        "<benchmarks>/train_and_measure/{run}.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=training_mb,
        runtime=training_minutes,
    params:
        settings=settings_of_run,
        tokens=section_part(config, "text", TokensConfig),
        measures=MEASURES,
        training_code=stage_code("train"),
        code=stage_code("train_and_measure"),
    script:
        "../scripts/train_and_measure.py"
