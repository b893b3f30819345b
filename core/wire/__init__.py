"""The topics of the split stream, format version 1: `tickets.enriched` and `tickets.embedded`. See docs/roles.md.

Each value is one MessagePack map; a record's key is the same as in the raw topic. The `content-type` header names the
kind and the version. All text has been cleaned and redacted.
"""
