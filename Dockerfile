# relay-conformance in a container: the key comes from the environment of the run, and is in no layer.
#
#   docker build -t relay-conformance .
#   docker run --rm -e RELAY_API_KEY -v "$PWD:/work" relay-conformance vet https://api.example.com --model gpt-4o-mini
#
# The folder that is mounted on /work must be writable for user 1000, or give --user "$(id -u):$(id -g)".

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY conformance ./conformance
COPY schemas ./schemas
COPY fixtures ./fixtures
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
COPY --from=build /wheels /wheels
RUN python -m pip install --no-cache-dir --disable-pip-version-check /wheels/*.whl \
    && rm -rf /wheels \
    && useradd --create-home --uid 1000 tester \
    && mkdir /work \
    && chown tester /work
USER tester
WORKDIR /work
ENTRYPOINT ["relay-conformance"]
CMD ["--help"]
