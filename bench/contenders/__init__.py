"""Each module is a process: it reads a `bench.job.Job` and prints what it measured."""
