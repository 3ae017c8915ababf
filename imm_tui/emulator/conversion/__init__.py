"""What a task does: objects in, pages out, in worker processes."""
