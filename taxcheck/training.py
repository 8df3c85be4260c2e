"""`taxcheck train`: the gate, the training, the audit, and the record of all three."""
