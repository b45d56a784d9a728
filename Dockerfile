# The admin UI and the tasks, as an image without a compiler, a checkout or root.
# docs/workspaces.md says how to run it: its root file system may be read-only, and /data has what
# stays.
FROM python:3.13-slim AS build
WORKDIR /src
RUN pip install --no-cache-dir uv==0.13.9
ENV UV_PROJECT_ENVIRONMENT=/opt/cruddur \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1
# The packages first: they change less often than the code.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --all-extras --no-extra dev --no-install-project
COPY README.md LICENSE tasks.py invoke.yaml ./
COPY .streamlit/config.toml .streamlit/config.toml
COPY aws/template.yaml aws/template.yaml
COPY sql sql
COPY core core
COPY task_groups task_groups
COPY admin_app admin_app
COPY cruddur_ops cruddur_ops
RUN uv sync --frozen --no-dev --all-extras --no-extra dev --no-editable

FROM python:3.13-slim
# A folder that exists here gives its owner to a new volume.
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin cruddur \
    && install --directory --owner cruddur --group cruddur --mode 0700 /data
COPY --from=build /opt/cruddur /opt/cruddur
ENV PATH=/opt/cruddur/bin:$PATH \
    HOME=/data \
    XDG_DATA_HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8501, timeout=4); c.request('GET', '/_stcore/health'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["cruddur"]
CMD ["admin", "--port", "8501"]
