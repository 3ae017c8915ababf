"""MNS: queues, topics and subscriptions, and their HTTP API."""
