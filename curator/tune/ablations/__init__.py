"""Ablation studies: one plan, many trainings that differ in one thing each, the same questions to all."""
