"""What only the asyncio client has: cancellation, tasks, event loops."""
