"""What the sweep came to: a table, pictures, and the page that people look at."""


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
    benchmark:
        "<benchmarks>/summarise.tsv"
    conda:
        "../envs/unrolled.yaml"
    params:
        settings=sweep_settings,
        code=stage_code("summarise"),
    script:
        "../scripts/summarise.py"


rule figures:
    """Draw the pictures and write the table behind each."""
    input:
        summary="<results>/summary.tsv",
        histories=of_runs("<runs>/{run}/history.tsv"),
        baselines="<corpus>/baselines.tsv",
        profile="<corpus>/profile.json",
        gradients=expand("<checks>/gradient-{cell}.json", cell=CELLS_AT_DEPTH),
        flows=of_runs(GRADIENT_FLOW),
    output:
        expand("<figures>/{figure}.tsv", figure=FIGURES),
        loss=report(
            "<figures>/loss.svg",
            caption="../report/loss.rst",
            category="Training",
            labels={"what": "loss of every run"},
        ),
        perplexity=report(
            "<figures>/perplexity.svg",
            caption="../report/perplexity.rst",
            category="Results",
            labels={"what": "test perplexity"},
        ),
        spread=report(
            "<figures>/spread.svg",
            caption="../report/spread.rst",
            category="Results",
            labels={"what": "seeds and settings"},
        ),
        gradient_check=report(
            "<figures>/gradient_check.svg",
            caption="../report/gradient_check.rst",
            category="Proof",
            labels={"what": "errors of the gradients"},
        ),
        lengths=report(
            "<figures>/lengths.svg",
            caption="../report/lengths.rst",
            category="Text",
            labels={"what": "lengths of sentences"},
        ),
        arrival=report(
            "<figures>/arrival.svg",
            caption="../report/arrival.rst",
            category="Training",
            labels={"what": "how far back gradients travel"},
        ),
        cosines=report(
            "<figures>/cosines.svg",
            caption="../report/cosines.rst",
            category="Training",
            labels={"what": "what truncation does to gradients"},
        ),
        singular_values=report(
            "<figures>/singular_values.svg",
            caption="../report/singular_values.rst",
            category="Training",
            labels={"what": "singular values of recurrent weights"},
        ),
        activations=report(
            "<figures>/activations.svg",
            caption="../report/activations.rst",
            category="Training",
            labels={"what": "where functions are saturated"},
        ),
    log:
        "<logs>/figures.log",
    benchmark:
        "<benchmarks>/figures.tsv"
    conda:
        "../envs/unrolled.yaml"
    params:
        code=stage_code("figures"),
    script:
        "../scripts/figures.py"


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
        figures=expand("<figures>/{figure}.svg", figure=FIGURES),
        agreement=["<figures>/agreement.svg"] if FROM_GRAMMAR else [],
        entropy="<corpus>/entropy.json" if FROM_GRAMMAR else [],
        flows=of_runs(GRADIENT_FLOW),
        samples=of_runs("<runs>/{run}/samples.tsv"),
        timing=of_runs("<runs>/{run}/timing.tsv"),
        made_with=of_runs("<runs>/{run}/provenance.json"),
        own_sentences=of_runs("<runs>/{run}/own_sentences.tsv") if OWN_SENTENCES else [],
    output:
        report=report(
            "<results>/report.html",
            caption="../report/report.rst",
            category="Results",
            labels={"what": "the whole report"},
        ),
        record="<results>/run.json",
    log:
        "<logs>/report.log",
    benchmark:
        "<benchmarks>/report.tsv"
    conda:
        "../envs/unrolled.yaml"
    params:
        config=config,
        beside={name: settings["about"] for name, settings in BESIDE.items()},
        code=stage_code("report"),
    script:
        "../scripts/report.py"
