"""Proofs that training waits for."""


def checked_cell(wildcards):
    """The cell that a check is about."""
    return CHECKS[wildcards.check].model["cell"]


def checked_depth(wildcards):
    """The truncation depth that a check is about."""
    return CHECKS[wildcards.check].training["truncation_depth"]


def checks_of_cell(wildcards):
    """The checks of a cell at every depth of the sweep."""
    names = [
        name
        for name, run in CHECKS.items()
        if run.model["cell"] == wildcards.cell
    ]
    return expand("<checks>/gradient-{check}.json", check=names)


rule check_gradients:
    """Compare the gradients of a cell at a depth with differences of the loss."""
    output:
        check="<checks>/gradient-{check}.json",
    log:
        "<logs>/checks/gradient-{check}.log",
    params:
        checks=config["checks"],
        cell=checked_cell,
        truncation_depth=checked_depth,
        code=stage_code("check_gradients"),
    conda:
        "../envs/unrolled.yaml"
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
    params:
        code=stage_code("gate"),
    conda:
        "../envs/unrolled.yaml"
    script:
        "../scripts/gate.py"
