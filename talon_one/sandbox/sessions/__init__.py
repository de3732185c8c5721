"""Customer sessions: merging, transitions, evaluation, and what closing and undoing change."""
