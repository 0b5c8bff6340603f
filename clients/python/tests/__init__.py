"""Run by test/python/client.test.ts, or with `python3 -m unittest` in clients/python."""
