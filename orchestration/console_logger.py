"""What a run says on the console: warnings and errors. Everything else is in its event log, which the UI shows."""

import dagster as dg

CONSOLE = dg.LoggerDefinition(
    dg.colored_console_logger.logger_fn,
    config_schema={
        "log_level": dg.Field(str, default_value="WARNING", is_required=False),
        "name": dg.Field(str, default_value="dagster", is_required=False),
    },
    description="Warnings and errors; the event log has everything.",
)
