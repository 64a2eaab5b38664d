"""Proofs that training waits for."""


rule check_gradients:
    """Compare the gradients of a cell at a depth with two numeric derivatives of the loss."""
    output:
        check="<checks>/gradient-{cell_at_depth}.json",
    log:
        "<logs>/checks/gradient-{cell_at_depth}.log",
    benchmark:
        "<benchmarks>/check_gradients/{cell_at_depth}.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=small_mb,
        runtime=short_minutes,
    params:
        checks=config["checks"],
        cell=checked_cell,
        truncation_depth=checked_depth,
        code=stage_code("check_gradients"),
    script:
        "../scripts/check_gradients.py"


rule check_overfitting:
    """Let a cell at a depth learn two sentences by heart."""
    output:
        check="<checks>/overfitting-{cell_at_depth}.json",
    log:
        "<logs>/checks/overfitting-{cell_at_depth}.log",
    benchmark:
        "<benchmarks>/check_overfitting/{cell_at_depth}.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=small_mb,
        runtime=short_minutes,
    params:
        checks=config["checks"],
        cell=checked_cell,
        truncation_depth=checked_depth,
        code=stage_code("check_overfitting"),
    script:
        "../scripts/check_overfitting.py"


rule check_initial_loss:
    """Hold the loss of an untrained network against that of guessing."""
    input:
        "<corpus>/encoded",
        vocabulary="<corpus>/vocabulary.tsv",
        classes=classes_of_network,
    output:
        check="<checks>/initial_loss-{network}.json",
    log:
        "<logs>/checks/initial_loss-{network}.log",
    benchmark:
        "<benchmarks>/check_initial_loss/{network}.tsv"
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=network_mb,
        runtime=short_minutes,
    params:
        checks=config["checks"],
        model=checked_model,
        code=stage_code("check_initial_loss"),
    script:
        "../scripts/check_initial_loss.py"


rule gate:
    """Let runs be trained only if all checks that they wait for have passed."""
    input:
        checks=checks_of_gate,
    output:
        gate="<checks>/gate-{gate}.json",
    log:
        "<logs>/checks/gate-{gate}.log",
    benchmark:
        "<benchmarks>/gate/{gate}.tsv"
    localrule: True  # to submit it takes longer than to do it
    conda:
        "../envs/unrolled.yaml"
    resources:
        mem_mb=small_mb,
        runtime=short_minutes,
    params:
        code=stage_code("gate"),
    script:
        "../scripts/gate.py"
