"""When and together: which assets run after what, on which schedule, under which policy. No business rule is here."""
