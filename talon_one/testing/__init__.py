"""A pytest plugin over the sandbox: `pip install "talon_one[sandbox]"`, and its fixtures are there.

| Fixture | What it is |
| --- | --- |
| `talon_sandbox` | a running `talon_one.sandbox.Sandbox`, as new for each test |
| `integration_api`, `management_api` | clients of that sandbox |
| `async_integration_api`, `async_management_api` | asyncio clients of that sandbox |
| `talon_environment` | environment variables that point programs at that sandbox |

`plugin` has the fixtures and hooks. Every run of pytest loads it, so it imports nothing that only
its fixtures need.
"""
