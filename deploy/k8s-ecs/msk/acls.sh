#!/usr/bin/env bash
# Gives a user the ACLs that its role needs, and no more (Kafka's own authorizer: SCRAM users and certificates).
# Read and Write include Describe. DescribeConfigs lets a worker and `ticketstream doctor` see how a topic stores batches.
set -euo pipefail

usage() {
	cat >&2 <<-TEXT
		usage: acls.sh ROLE PRINCIPAL [OPTION...]

		ROLE       pipeline | enrichment | embedding | archive | producer | producer-service | rag | operator | topics
		PRINCIPAL  User:NAME for SCRAM, User:CN=NAME,... for a certificate's subject
		OPTION     for kafka-acls.sh, --bootstrap-server HOST:PORT and --command-config FILE among them

		Set TICKETS_TOPICS__RAW, __ENRICHED, __EMBEDDED, __DLQ, __FEEDBACK and TICKETS_KAFKA__GROUP if your topics and
		group differ from the defaults.
	TEXT
	exit 2
}

[ $# -ge 2 ] || usage
role=$1 principal=$2
shift 2
options=("$@")
raw=${TICKETS_TOPICS__RAW:-tickets.raw}
enriched=${TICKETS_TOPICS__ENRICHED:-tickets.enriched}
embedded=${TICKETS_TOPICS__EMBEDDED:-tickets.embedded}
dlq=${TICKETS_TOPICS__DLQ:-tickets.dlq}
feedback=${TICKETS_TOPICS__FEEDBACK:-tickets.feedback}
group=${TICKETS_KAFKA__GROUP:-ticketstream}

command -v kafka-acls.sh >/dev/null || {
	echo "acls.sh: kafka-acls.sh is not on the PATH; it comes with Apache Kafka" >&2
	exit 2
}

allow() { kafka-acls.sh "${options[@]}" --add --allow-principal "$principal" "$@"; }

case $role in
pipeline)
	allow --operation Read --topic "$raw" --group "$group"
	allow --operation DescribeConfigs --topic "$raw"
	allow --operation Write --topic "$dlq"
	;;
enrichment)
	allow --operation Read --topic "$raw" --group "$group-enrichment"
	allow --operation DescribeConfigs --topic "$raw"
	allow --operation Write --topic "$enriched" --topic "$dlq"
	;;
embedding)
	allow --operation Read --topic "$enriched" --group "$group-embedding"
	allow --operation DescribeConfigs --topic "$enriched"
	allow --operation Write --topic "$embedded" --topic "$dlq"
	;;
archive)
	allow --operation Read --topic "$raw" --group "$group-archive"
	allow --operation DescribeConfigs --topic "$raw"
	;;
producer)
	allow --operation Write --topic "$raw"
	;;
producer-service) # its bad lines are letters
	allow --operation Write --topic "$raw" --topic "$dlq"
	;;
rag)
	allow --operation Write --topic "$feedback"
	;;
operator) # status, reconcile, rebuild, doctor; dlq replay writes to the letter's topic
	allow --operation Read --topic "$raw" --topic "$enriched" --topic "$embedded" --topic "$dlq" \
		--topic "$feedback"
	allow --operation DescribeConfigs --topic "$raw"
	allow --operation Read --group "$group" --resource-pattern-type prefixed
	allow --operation Write --topic "$raw" --topic "$enriched"
	;;
topics) # ticketstream topics
	allow --operation Create --operation Describe --topic "$raw" --topic "$enriched" --topic "$embedded" --topic "$dlq" \
		--topic "$feedback"
	;;
*) usage ;;
esac
