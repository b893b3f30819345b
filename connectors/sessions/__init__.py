"""Stores of ended sign-ins."""
