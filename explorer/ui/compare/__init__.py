"""The sections of the Compare page: what each of them asks, runs and shows."""
