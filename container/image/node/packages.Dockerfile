# One agent's packages, and what Node.js compiled of them: kept under the user it will run as, who alone finds it.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY root/ /
ARG AGENT_USER=10001
RUN ["python3", "-I", "-S", "/opt/agent/warm.py", "prepare"]
USER ${AGENT_USER}
ENV HOME=/tmp
RUN ["python3", "-I", "-S", "/opt/agent/warm.py"]
USER 0
