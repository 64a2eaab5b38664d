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
