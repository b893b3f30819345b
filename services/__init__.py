"""HTTP apps, one folder each: `app.py` has the routes, `compose.py` opens what they need."""
