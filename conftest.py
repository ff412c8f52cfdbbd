"""What every test run loads: the collector of the queries' cases, and what tests it."""

pytest_plugins = ("tests.plugin_cases", "pytester")
