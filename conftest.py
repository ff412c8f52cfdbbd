"""What every test run loads: the collector of the queries' cases."""

pytest_plugins = ("tests.plugin_cases",)
