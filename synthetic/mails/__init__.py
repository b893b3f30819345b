"""Synthetic mails in the formats of mail programs: replies, forwards and inline answers in many languages."""
