# Penny's service: built from the lists in locks/, run as a user without rights on a root that cannot be written.
# docs/image.md says how it is built, run and pinned.
ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285
ARG NODE_IMAGE=docker.io/library/node:24-trixie-slim@sha256:8ec5d7557396cfe32d21c3f9c13072355ceab22b584578ca4bb28af31120cffe

# The chat widget, into api/assets.
FROM ${NODE_IMAGE} AS widget
WORKDIR /build/widget
COPY widget/package.json widget/package-lock.json ./
RUN npm ci --no-audit --no-fund --loglevel=error
COPY widget ./
RUN node build.mjs

# The dependencies and Penny itself, as a virtual environment that is copied whole.
FROM ${PYTHON_IMAGE} AS service
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /build
COPY locks/image-build.txt locks/image.txt locks/
RUN python3 -m venv /tools \
 && /tools/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r locks/image-build.txt \
 && python3 -m venv --without-pip /opt/penny \
 && /tools/bin/uv pip install --python /opt/penny/bin/python --require-hashes -r locks/image.txt
COPY pyproject.toml README.md LICENSE ./
COPY domain domain
COPY db db
COPY ledger ledger
COPY prompts prompts
COPY memory memory
COPY tools tools
COPY agent agent
COPY channels channels
COPY lab lab
COPY api api
COPY penny penny
COPY --from=widget /build/api/assets api/assets
RUN /tools/bin/uv build --wheel --python /tools/bin/python --no-build-isolation --out-dir /wheels \
 && /tools/bin/uv pip install --python /opt/penny/bin/python --no-deps /wheels/*.whl

# Chinese, Japanese and Korean for charts as pictures: 3.5 MB (Apache-2.0). Debian has it; on another base leave this out.
FROM ${NODE_IMAGE} AS fonts
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends fonts-droid-fallback \
 && mkdir /fonts \
 && cp /usr/share/fonts-droid-fallback/truetype/DroidSansFallback.ttf \
       /usr/share/doc/fonts-droid-fallback/copyright /fonts/ \
 && rm -rf /var/lib/apt/lists/*

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Penny" \
      org.opencontainers.image.description="A conversational budget assistant" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=service /opt/penny /opt/penny
COPY --from=fonts /fonts /usr/share/fonts/truetype/droid-fallback
# /tmp is the one place that is written to: mount a tmpfs there. Numbers, for there need be no such user on the host.
ENV PATH=/opt/penny/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    PENNY_HOME=/tmp/penny \
    PENNY_CACHE=/tmp/penny-cache
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["penny", "serve", "--host", "0.0.0.0", "--port", "8000"]
