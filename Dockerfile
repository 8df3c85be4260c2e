# The service: `docker build -t taxcheck .`; compose.yaml runs it with PostgreSQL.
FROM python:3.12-slim AS built
WORKDIR /source
COPY pyproject.toml setup.py MANIFEST.in constraints.txt README.md CHANGELOG.md LICENSE ./
COPY taxcheck taxcheck
COPY rules rules
COPY reports reports
RUN python -m venv /opt/taxcheck \
 && /opt/taxcheck/bin/pip install --no-cache-dir --constraint constraints.txt '.[service,postgres]'

FROM python:3.12-slim
RUN useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin taxcheck \
 && install --directory --owner taxcheck --group taxcheck --mode 0750 /data
COPY --from=built /opt/taxcheck /opt/taxcheck
ENV PATH=/opt/taxcheck/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TAXCHECK_SERVICE_DATA=/data \
    TAXCHECK_SERVICE_HOST=0.0.0.0
USER taxcheck
WORKDIR /data
VOLUME /data
EXPOSE 8740
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8740/readyz', timeout=5)"]
ENTRYPOINT ["taxcheck"]
CMD ["serve"]
