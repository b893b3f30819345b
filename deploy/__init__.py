"""Deployment files. A package only so that an installed command line finds the topics' declaration."""
