"""The BPM engine behind one door: no Django, no database, no clock, no network."""
