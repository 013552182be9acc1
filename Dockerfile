# The service alone: no tests, no compilers, none of the servers that `demo` and `stack` start.

FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/claim-analytics
COPY requirements.lock requirements-dev.lock ./
RUN /opt/claim-analytics/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
# The build tool too comes from a lock file, by its hashes.
RUN sed -n '/^setuptools==/,/[^\\]$/p' requirements-dev.lock > build.lock \
    && pip install --no-cache-dir --require-hashes -r build.lock
COPY pyproject.toml README.md ./
COPY repositories repositories
COPY consumers consumers
COPY service service
COPY migrations migrations
RUN pip wheel --no-cache-dir --no-build-isolation --no-deps --wheel-dir dist . \
    && /opt/claim-analytics/bin/pip install --no-cache-dir --no-deps dist/*.whl

FROM python:3.13-slim
# A volume at the default place of report files is writable for the service.
RUN useradd --system --uid 10001 --no-create-home claim-analytics \
    && install --directory --mode=700 --owner=10001 /var/lib/claim-analytics
COPY --from=build /opt/claim-analytics /opt/claim-analytics
ENV PATH=/opt/claim-analytics/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CLAIM_ANALYTICS_HTTP_ADDRESS=0.0.0.0:8080
EXPOSE 8080
# By number, so that Kubernetes can see that it is not root.
USER 10001
WORKDIR /tmp
# A process whose consumers cannot go on ends, with an exit code that says why; restarting it is
# the business of whoever runs the container. The check notices one that is stuck.
ENV CLAIM_ANALYTICS_HEARTBEAT_FILE=/tmp/claim-analytics.heartbeat
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=2 \
    CMD test -n "$(find "$CLAIM_ANALYTICS_HEARTBEAT_FILE" -mmin -1)"
ENTRYPOINT ["claim-analytics"]
CMD ["run"]
