# The host of Intercom (not the agents' image, which the host builds itself).
ARG BASE_IMAGE=python:3.12-slim
FROM ${BASE_IMAGE}

WORKDIR /opt/intercom
COPY requirements/run.lock requirements/build.lock requirements/
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        -r requirements/run.lock -r requirements/build.lock

COPY pyproject.toml README.md LICENSE ./
COPY bridges bridges
COPY container container
COPY demarch demarch
COPY host host
COPY intermute intermute
COPY sidechannel sidechannel
COPY storage storage
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
    && /opt/venv/bin/python -m compileall -q /opt/venv

ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /
# It talks to the machine's Docker engine, which is root's business anyway; the agents it starts are not root.
ENTRYPOINT ["intercom"]
CMD ["up"]
