"""Where this installation keeps its data, its `.env` and its Dagster instance, wherever it is called from."""
