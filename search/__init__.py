"""The search plan: a question is read, both retrievals are fused, tickets are ranked, and the result is explained."""
