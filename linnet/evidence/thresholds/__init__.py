"""Thresholds that come with a promise: chosen on data so that a stated risk is kept."""
