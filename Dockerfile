# A stage per room: each image holds the rooms its process may import and what they use, and nothing else.
# Any Debian image with Python ≥ 3.11 does as a base; its postgresql-client decides up to which server the worker can
# back up (a pg_dump refuses servers newer than itself): Debian 13 brings 17.
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS base
ENV PATH=/opt/twokey/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN groupadd --gid 10001 twokey && useradd --uid 10001 --gid twokey --no-create-home --home-dir /twokey twokey
WORKDIR /twokey

# Wheels only: nothing is compiled, so no stage needs a compiler, and the environment carries no installer of its own.
FROM base AS installer
RUN python -m venv --without-pip /opt/twokey
ENV PIP_ONLY_BINARY=:all: PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements/ requirements/

FROM installer AS bot-packages
RUN pip --python /opt/twokey install -r requirements/bot.txt -r requirements/ledger.txt

FROM installer AS worker-packages
RUN pip --python /opt/twokey install -r requirements/ledger.txt -r requirements/engine.txt

FROM installer AS playground-packages
COPY pyproject.toml README.md LICENSE ./
COPY bot/ bot/
COPY ledger/ ledger/
COPY workers/ workers/
COPY engine/ engine/
COPY cli/ cli/
COPY playground/ playground/
RUN pip --python /opt/twokey install '.[playground]'

# The ear and the voice: no engine, no SQL parser, no pg_dump.
FROM base AS bot
COPY --from=bot-packages /opt/twokey /opt/twokey
COPY bot/ bot/
COPY ledger/ ledger/
USER twokey
CMD ["python", "-m", "bot"]

# The hands; also `sweep` and `prepare`. No Slack library, so a token would be of no use here.
FROM base AS worker
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*
COPY --from=worker-packages /opt/twokey /opt/twokey
COPY workers/ workers/
COPY ledger/ ledger/
COPY engine/ engine/
# A named volume takes its owner from the folder it is first mounted on.
RUN install -d -m 0700 -o twokey -g twokey migrations/schema-backups
USER twokey
ENTRYPOINT ["python", "-m", "workers"]

# Twokey without Slack, for trying things out: every room, the `twokey` command and the stand-in for Slack.
FROM base AS playground
RUN apt-get update && apt-get install --yes --no-install-recommends socat && rm -rf /var/lib/apt/lists/*
COPY --from=playground-packages /opt/twokey /opt/twokey
COPY twokey.toml ./
COPY migrations/ migrations/
RUN chown twokey:twokey . migrations/schema-backups
USER twokey
CMD ["python", "-m", "playground"]
