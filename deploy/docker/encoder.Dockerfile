# The encoder for SageMaker, which runs `docker run IMAGE serve` and can't change an entry point:
#   docker build -f deploy/docker/encoder.Dockerfile --build-arg PIPELINE=.../pipeline:0.2.0 -t .../encoder:0.2.0 .
ARG PIPELINE
FROM ${PIPELINE}
ENTRYPOINT ["python", "-m", "services.encoder"]
EXPOSE 8080
