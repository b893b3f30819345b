"""Made-up mails as programs write them: replies, forwards and inline answers in many languages."""
