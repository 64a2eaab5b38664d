"""Look at a sweep, while it runs too: these rules read and write nothing that Snakemake knows of."""


# At its end, a call takes away all locks of the folder, those too of a sweep that runs beside it.
# One that has locked nothing leaves them where they are, as with the option --nolock.
onstart:
    if watches_only():
        workflow.persistence.unlock = workflow.persistence.noop


onerror:
    for line in failed_runs():
        print(line, file=sys.stderr)


rule status:
    """Show where each run stands."""
    log:
        "<logs>/status.log",
    localrule: True
    conda:
        "../envs/unrolled.yaml"
    params:
        results=in_place("results"),
        sweeps=sweeps_together,
    script:
        "../scripts/status.py"


rule preview:
    """Show what would be trained or measured, and what that is likely to take."""
    log:
        "<logs>/preview.log",
    localrule: True
    conda:
        "../envs/unrolled.yaml"
    params:
        results=in_place("results"),
        sweeps=sweeps_together,
        arguments=arguments_of_call,
        called_in=workflow.rundir,
        cores=workflow.cores,
        code=stage_code("train"),
    script:
        "../scripts/preview.py"


rule clean_state:
    """Remove the checkpoints of finished runs."""
    log:
        "<logs>/clean_state.log",
    localrule: True
    conda:
        "../envs/unrolled.yaml"
    params:
        results=in_place("results"),
        sweeps=sweeps_together,
    script:
        "../scripts/clean_state.py"
