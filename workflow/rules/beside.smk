"""Other experiments that belong to this one: each is this workflow once more, with its own settings."""

downloads = {DOWNLOAD}

for experiment, settings in BESIDE.items():
    neighbour = f"beside_{experiment}"
    every_rule = f"{experiment}_*"

    module:
        name: neighbour
        snakefile:
            "../Snakefile"
        config:
            settings

    # a download that several share is made by the first of them
    if download_of(settings) in downloads:

        use rule * from neighbour exclude download as every_rule

    else:

        use rule * from neighbour as every_rule

    downloads.add(download_of(settings))


if BESIDE:
    together = [EXPERIMENT, *BESIDE]

    rule side_by_side:
        """Put this experiment and those beside it on one page."""
        input:
            summaries=expand("results/{name}/summary.tsv", name=together),
            profiles=expand("results/{name}/corpus/profile.json", name=together),
            baselines=expand("results/{name}/corpus/baselines.tsv", name=together),
            walls=expand("results/{name}/portraits/wall.tsv", name=together),
            heat_maps=expand(
                "results/{name}/figures/perplexity{suffix}",
                name=together,
                suffix=picture_files.SUFFIXES,
            ),
        output:
            drawn(SIDE_BY_SIDE),
            beside_drawings(SIDE_BY_SIDE),
            page=for_own_report(
                "<results>/side_by_side.html",
                "side_by_side",
                "Results",
                "experiments side by side",
            ),
        log:
            "<logs>/side_by_side.log",
        benchmark:
            "<benchmarks>/side_by_side.tsv"
        conda:
            "../envs/unrolled.yaml"
        resources:
            mem_mb=small_mb,
            runtime=short_minutes,
        params:
            configs=[config, *BESIDE.values()],
            code=stage_code("side_by_side"),
        script:
            "../scripts/side_by_side.py"
