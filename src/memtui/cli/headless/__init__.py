"""The dashboard's command without the dashboard: --plain and --once."""
