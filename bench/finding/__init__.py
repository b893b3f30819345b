"""Sets of tickets and questions with known answers, and an index of each."""
