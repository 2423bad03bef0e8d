"""Appointments with customers: times offered, chosen, moved, cancelled, with a calendar entry for both sides."""
