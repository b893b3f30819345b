#!/usr/bin/env bash
# Creates the files of compose.secured.yaml: a certificate authority, certificates for Kafka, Qdrant and the cache, and
# passwords.
#
#     deploy/secure.sh [FOLDER]     # by default deploy/secured/, which must not exist
set -euo pipefail
umask 077
folder=${1:-"$(dirname "$0")/secured"}
days=825
if [[ -e $folder ]]; then
	echo "$folder exists; for new certificates and passwords, remove it, run this script and start every service again" >&2
	exit 2
fi
command -v openssl >/dev/null || { echo "openssl is missing; install it" >&2; exit 2; }
draft="$folder.draft"
rm -rf "$draft"
mkdir -p "$draft"/{kafka,qdrant,redis,prometheus}

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }
password() { openssl rand -hex 24; }

key "$draft/authority.key"
openssl req -x509 -new -key "$draft/authority.key" -sha256 -days $days -subj "/CN=ticketstream" -out "$draft/ca.pem" \
	-addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign"

# certificate NAME KEY CERTIFICATE: for a container and for clients on this machine.
certificate() {
	key "$2"
	openssl req -new -key "$2" -subj "/CN=$1" |
		openssl x509 -req -CA "$draft/ca.pem" -CAkey "$draft/authority.key" -CAcreateserial -sha256 -days $days -out "$3" \
			-extfile <(echo "subjectAltName=DNS:$1,DNS:localhost,IP:127.0.0.1") 2>/dev/null
}
certificate kafka "$draft/kafka/key.pem" "$draft/kafka/cert.pem"
certificate qdrant "$draft/qdrant/key.pem" "$draft/qdrant/cert.pem"
certificate redis "$draft/redis/key.pem" "$draft/redis/cert.pem"
cat "$draft/kafka/key.pem" "$draft/kafka/cert.pem" >"$draft/kafka/kafka.pem"
cp "$draft/ca.pem" "$draft/kafka/"
cp "$draft/ca.pem" "$draft/redis/"
cp "$draft/ca.pem" "$draft/prometheus/"
# Without the authority's key nobody can sign another certificate.
rm "$draft/authority.key" "$draft"/*.srl "$draft/kafka/key.pem" "$draft/kafka/cert.pem"

kafka=$(password) broker=$(password) qdrant=$(password) redis=$(password)
cat >"$draft/passwords.env" <<END
KAFKA_PASSWORD=$kafka
KAFKA_BROKER_PASSWORD=$broker
QDRANT_API_KEY=$qdrant
REDIS_PASSWORD=$redis
END
cat >"$draft/kafka/client.properties" <<END
security.protocol=SASL_SSL
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="ticketstream" password="$kafka";
ssl.truststore.type=PEM
ssl.truststore.location=/etc/kafka/secrets/ca.pem
END
cat >"$draft/redis/valkey.conf" <<END
port 0
tls-port 6379
tls-cert-file /etc/valkey/cert.pem
tls-key-file /etc/valkey/key.pem
tls-ca-cert-file /etc/valkey/ca.pem
tls-auth-clients no
requirepass $redis
END
printf '%s' "$qdrant" >"$draft/prometheus/qdrant-key"
mkdir -p "$(dirname "$folder")"
here=$(cd "$(dirname "$folder")" && pwd)/$(basename "$folder")
cat >"$draft/client.env" <<END
TICKETS_KAFKA__BROKERS=localhost:9092
TICKETS_KAFKA__SECURITY_PROTOCOL=SASL_SSL
TICKETS_KAFKA__SASL_MECHANISM=PLAIN
TICKETS_KAFKA__SASL_USERNAME=ticketstream
TICKETS_KAFKA__SASL_PASSWORD=$kafka
TICKETS_KAFKA__SSL_CA_FILE=$here/ca.pem
TICKETS_INDEX__URL=https://localhost:6334
TICKETS_INDEX__API_KEY=$qdrant
GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=$here/ca.pem
END
# The containers run as other users, which must read the mounted files. On this machine the folder's mode keeps others
# out.
chmod -R a+rX "$draft"/{kafka,qdrant,redis,prometheus} "$draft/ca.pem"
mv "$draft" "$folder"
echo "certificates for $days days and passwords are in $folder"
