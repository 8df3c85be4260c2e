"""The training engine: data, layout, draws, losses, steps, checkpoints. It knows no rule."""
