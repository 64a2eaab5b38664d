"""What the sweep came to: a table, pictures, and the page that people look at."""


def sweep_settings(wildcards):
    """The settings of every run of the sweep, those of missing runs too."""
    return {name: run.settings for name, run in RUNS.items()}


rule summarise:
    """Put every run's settings and figures into one table."""
    input:
        metrics=of_runs("<runs>/{run}/metrics.json"),
        evaluations=of_runs("<runs>/{run}/evaluation.tsv"),
        baselines="<corpus>/baselines.tsv",
    output:
        summary=report(
            "<results>/summary.tsv",
            caption="../report/summary.rst",
            category="Results",
            labels={"what": "table of runs"},
        ),
    log:
        "<logs>/summarise.log",
    params:
        settings=sweep_settings,
        code=stage_code("summarise"),
    conda:
        "../envs/unrolled.yaml"
    script:
        "../scripts/summarise.py"
