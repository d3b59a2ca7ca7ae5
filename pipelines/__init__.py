"""When the assets are made, and on what: the composition root, the schedule, the settings, the command line."""
