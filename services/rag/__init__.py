"""The RAG service: search, similar tickets, answers with checked citations, and feedback."""
