"""Camera kinds, their pipelines, and the workers that own them."""
