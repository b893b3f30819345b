"""Answers from evidence: a prompt, drafts by a language model, a check of every sentence, citations or a refusal."""
