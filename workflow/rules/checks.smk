"""Proofs that training waits for."""


rule check_gradients:
    """Compare the gradients of a cell at a depth with differences of the loss."""
    output:
        check="<checks>/gradient-{check}.json",
    log:
        "<logs>/checks/gradient-{check}.log",
    benchmark:
        "<benchmarks>/check_gradients/{check}.tsv"
    conda:
        "../envs/unrolled.yaml"
    params:
        checks=config["checks"],
        cell=checked_cell,
        output=checked_output,
        tied_weights=checked_tying,
        truncation_depth=checked_depth,
        code=stage_code("check_gradients"),
    script:
        "../scripts/check_gradients.py"


rule gate:
    """Let a cell be trained at a depth only if its gradients are right there."""
    input:
        check="<checks>/gradient-{check}.json",
    output:
        gate="<checks>/gate-{check}.json",
    log:
        "<logs>/checks/gate-{check}.log",
    benchmark:
        "<benchmarks>/gate/{check}.tsv"
    conda:
        "../envs/unrolled.yaml"
    params:
        code=stage_code("gate"),
    script:
        "../scripts/gate.py"
