"""What docs/benchmarks.md quotes: each module measures one capability and writes its section."""
