"""Proofs that training waits for."""


rule check_gradients:
    """Compare the gradients of a cell at a depth with differences of the loss."""
    output:
        check="<checks>/gradient-{check}.json",
    log:
        "<logs>/checks/gradient-{check}.log",
    conda:
        "../envs/unrolled.yaml"
    params:
        checks=config["checks"],
        cell=checked_cell,
        truncation_depth=checked_depth,
        code=stage_code("check_gradients"),
    script:
        "../scripts/check_gradients.py"


rule gate:
    """Let a cell be trained only if its gradients are right at every depth."""
    input:
        checks=checks_of_cell,
    output:
        gate="<checks>/gate-{cell}.json",
    log:
        "<logs>/checks/gate-{cell}.log",
    conda:
        "../envs/unrolled.yaml"
    params:
        code=stage_code("gate"),
    script:
        "../scripts/gate.py"
