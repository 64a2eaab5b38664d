"""Other experiments that belong to this one: each is this workflow once more, with its own settings."""

for experiment, settings in BESIDE.items():
    every_rule = f"{experiment.replace('-', '_')}_*"

    module:
        name: experiment
        snakefile:
            "../Snakefile"
        config:
            settings

    use rule * from experiment as every_rule
