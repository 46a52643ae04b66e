"""The command line itself: every command, its options and its help, grouped as they are used."""
