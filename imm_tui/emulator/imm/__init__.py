"""IMM: projects and tasks in both API versions, behind the RPC gateway."""
