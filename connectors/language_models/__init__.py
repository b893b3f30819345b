"""Clients of language models: OpenAI-compatible servers, Amazon Bedrock, SageMaker endpoints."""
