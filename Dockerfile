# One image per service, the light ones first: a builder without BuildKit makes every stage up
# to the one it is asked for. Dependencies before code, so that a change of code is a small layer.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS base
LABEL org.opencontainers.image.title="hazardcast" \
      org.opencontainers.image.description="Roadside CCTV sees an accident, tells every vehicle nearby, and keeps the video around it" \
      org.opencontainers.image.licenses="MIT"
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
# /data belongs to the service's user, so that a new volume mounted there does too.
RUN groupadd --gid 10001 hazardcast \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hazardcast \
 && install -d -o hazardcast -g hazardcast /data /run/hazardcast \
 && install -d /app \
 && python3 -m venv --without-pip /opt/venv
WORKDIR /app
COPY requirements/base.txt requirements/
RUN pip --python /opt/venv/bin/python install --require-hashes --no-deps -r requirements/base.txt
COPY deploy/docker/ready /usr/local/bin/
USER hazardcast
HEALTHCHECK --interval=5s --timeout=4s --start-period=120s --retries=3 CMD ["ready"]
ENTRYPOINT ["python", "-m"]

# What the services share, without what looks at pictures.
FROM ${PYTHON_IMAGE} AS library
COPY hazardcast /app/hazardcast
RUN rm -r /app/hazardcast/vision

FROM base AS vehicle-agent
COPY --from=library /app/hazardcast hazardcast
COPY services/vehicle-agent .
CMD ["vehicle_agent"]

# The command line, and `python -m hazardcast_tools.provision`.
FROM base AS cli
COPY deploy/docker/hazardcast /usr/local/bin/
COPY --from=library /app/hazardcast hazardcast
COPY tools .
HEALTHCHECK NONE
CMD ["hazardcast_tools", "--help"]

FROM base AS alerter
USER root
COPY requirements/alerter.txt requirements/
RUN pip --python /opt/venv/bin/python install --require-hashes --no-deps -r requirements/alerter.txt
USER hazardcast
COPY --from=library /app/hazardcast hazardcast
COPY services/alerter .
CMD ["alerter"]

FROM ${PYTHON_IMAGE} AS gathered-ffmpeg
COPY deploy/docker/gather-ffmpeg /
RUN /gather-ffmpeg /opt/ffmpeg

FROM base AS with-ffmpeg
USER root
COPY --from=gathered-ffmpeg /opt/ffmpeg /opt/ffmpeg
RUN echo /opt/ffmpeg/lib > /etc/ld.so.conf.d/ffmpeg.conf && ldconfig && ln -s /opt/ffmpeg/bin/ffmpeg /usr/local/bin/ffmpeg
USER hazardcast

FROM with-ffmpeg AS recorder
COPY --from=library /app/hazardcast hazardcast
COPY services/recorder .
CMD ["recorder"]

FROM with-ffmpeg AS clipper
COPY --from=library /app/hazardcast hazardcast
COPY services/clipper .
CMD ["clipper"]

FROM with-ffmpeg AS console
USER root
COPY requirements/console.txt requirements/
RUN pip --python /opt/venv/bin/python install --require-hashes --no-deps -r requirements/console.txt \
 && install -d -o hazardcast -g hazardcast /archive
USER hazardcast
COPY --from=library /app/hazardcast hazardcast
COPY services/console .
CMD ["console"]

FROM with-ffmpeg AS camera
USER root
COPY requirements/camera.txt requirements/
RUN pip --python /opt/venv/bin/python install --require-hashes --no-deps -r requirements/camera.txt \
 && find /opt/venv/lib -type d -name tests -prune -exec rm -rf {} +
USER hazardcast
COPY --from=library /app/hazardcast hazardcast
COPY services/camera .
CMD ["camera"]

FROM base AS detector
USER root
COPY requirements/detector.txt requirements/
# The packages' own tests are 50 MB that nobody runs here.
RUN pip --python /opt/venv/bin/python install --require-hashes --no-deps -r requirements/detector.txt \
 && find /opt/venv/lib -type d -name tests -prune -exec rm -rf {} +
# OpenCV: TCP, or UDP where that is refused, as it takes by itself, and no second lost at guessing a
# frame rate nobody asks for.
ENV OPENCV_FFMPEG_CAPTURE_OPTIONS="rtsp_flags;prefer_tcp|fpsprobesize;3"
RUN install -d -o hazardcast -g hazardcast /models
USER hazardcast
COPY --from=library /app/hazardcast hazardcast
COPY hazardcast/vision hazardcast/vision
COPY services/detector .
CMD ["detector"]

# `hazardcast check`: recorder and detector try each camera as they do at work.
FROM detector AS check
USER root
COPY --from=gathered-ffmpeg /opt/ffmpeg /opt/ffmpeg
RUN echo /opt/ffmpeg/lib > /etc/ld.so.conf.d/ffmpeg.conf && ldconfig && ln -s /opt/ffmpeg/bin/ffmpeg /usr/local/bin/ffmpeg
USER hazardcast
COPY services/recorder .
COPY tools .
HEALTHCHECK NONE
CMD ["hazardcast_tools", "check"]
