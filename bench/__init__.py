"""What is fast, measured: contenders in processes of their own, in interleaved rounds, and a page of the medians."""
