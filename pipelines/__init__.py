"""The steps of Service-Trade Monitor (服务贸易统计监测), in plain Python: nothing here knows Dagster."""
