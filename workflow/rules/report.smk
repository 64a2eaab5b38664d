"""What the sweep came to: a table, pictures, and the page that people look at."""


rule summarise:
    """Put every run's settings and figures into one table."""
    input:
        runs=folders_of_runs(),
        baselines="<corpus>/baselines.tsv",
    output:
        summary=for_own_report(
            "<results>/summary.tsv", "summary", "Results", "table of runs"
        ),
        inventory="<results>/inventory.tsv",
    log:
        "<logs>/summarise.log",
    benchmark:
        "<benchmarks>/summarise.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=sweep_mb,
        runtime=sweep_minutes,
    params:
        settings=sweep_settings,
        missing=reasons_of_missing_runs,
        code=stage_code("summarise"),
    script:
        "../scripts/summarise.py"


rule figures:
    """Draw the pictures that show no times and write the table behind each."""
    input:
        summary="<results>/summary.tsv",
        inventory="<results>/inventory.tsv",
        baselines="<corpus>/baselines.tsv",
        profile="<corpus>/profile.json",
        gradients=expand("<checks>/gradient-{cell}.json", cell=CELLS_AT_DEPTH),
    output:
        drawn(PICTURES),
        beside_drawings(PICTURES),
    log:
        "<logs>/figures.log",
    benchmark:
        "<benchmarks>/figures.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=sweep_mb,
        runtime=sweep_minutes,
    params:
        code=stage_code("figures"),
    script:
        "../scripts/figures.py"


rule time_figures:
    """Draw where the time went."""
    input:
        summary="<results>/summary.tsv",
        inventory="<results>/inventory.tsv",
        jobs=measured_jobs(),
    output:
        drawn(TIME_PICTURES),
        beside_drawings(TIME_PICTURES),
    log:
        "<logs>/time_figures.log",
    benchmark:
        "<benchmarks>/time_figures.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=sweep_mb,
        runtime=sweep_minutes,
    params:
        code=stage_code("time_figures"),
    script:
        "../scripts/time_figures.py"


rule model_cards:
    """Say of the best run of each cell what it is good for, and how to load it."""
    input:
        provenance="<corpus>/provenance.json",
        profile="<corpus>/profile.json",
        baselines="<corpus>/baselines.tsv",
        summary="<results>/summary.tsv",
        inventory="<results>/inventory.tsv",
        entropy="<corpus>/entropy.json" if FROM_GRAMMAR else [],
    output:
        expand("<results>/model_cards/{cell}.md", cell=BEST_OF_CELLS),
    log:
        "<logs>/model_cards.log",
    benchmark:
        "<benchmarks>/model_cards.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=largest_model_mb,
        runtime=short_minutes,
    params:
        config=config,
        code=stage_code("model_cards"),
    script:
        "../scripts/model_cards.py"


rule report:
    """Put everything on one page, and write down what was run."""
    input:
        provenance="<corpus>/provenance.json",
        profile="<corpus>/profile.json",
        baselines="<corpus>/baselines.tsv",
        classes=classes_for_report(),
        summary="<results>/summary.tsv",
        gradients=expand("<checks>/gradient-{cell}.json", cell=CELLS_AT_DEPTH),
        overfitting=expand("<checks>/overfitting-{cell}.json", cell=CELLS_AT_DEPTH),
        initial_losses=expand("<checks>/initial_loss-{network}.json", network=NETWORKS),
        figures=expand("<figures>/{figure}.svg", figure=REPORTED_PICTURES),
        beside_figures=beside_drawings(REPORTED_PICTURES),
        portraits=expand("<results>/portraits/{table}.tsv", table=PORTRAITS),
        entropy="<corpus>/entropy.json" if FROM_GRAMMAR else [],
        inventory="<results>/inventory.tsv",
    output:
        section_pages(),
        report=for_own_report(
            "<results>/report.html", "report", "Results", "the whole report"
        ),
        record="<results>/run.json",
    log:
        "<logs>/report.log",
    benchmark:
        "<benchmarks>/report.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=sweep_mb,
        runtime=sweep_minutes,
    params:
        config=config,
        beside={name: settings["about"] for name, settings in BESIDE.items()},
        code=stage_code("report"),
    script:
        "../scripts/report.py"
