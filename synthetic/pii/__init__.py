"""Made-up texts with personal data at known places, to measure redaction with."""
