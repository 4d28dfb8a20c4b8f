"""The services that AiiDA needs to run in the background: database, message queue, daemon."""
