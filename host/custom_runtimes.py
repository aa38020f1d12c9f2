"""The agents that a user added by settings, as rows for the runtimes table."""

from collections.abc import Iterator, Mapping

from container.agent import ModelApi, Runtime
from host.settings_pieces import RuntimeSettings


def custom_runtimes(settings: Mapping[str, RuntimeSettings]) -> Iterator[Runtime]:
    for name, row in settings.items():
        yield Runtime(
            name=name,
            title=row.title or name,
            image=row.image,
            command=row.command,
            environment=dict(row.environment),
            api=ModelApi(row.api) if row.api else None,
            models=row.models,
            own_models=row.own_models,
            model_variable=row.model_variable,
            state=row.state,
            memory=row.memory,
            memory_bytes=int(row.memory_bytes),
            cpus=row.cpus,
        )
