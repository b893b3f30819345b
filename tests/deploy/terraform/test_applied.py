"""The applied resources, read back from the emulators with boto3."""

import base64
import re
import subprocess

import yaml

from tests.deploy.terraform.conftest import Planned
from tests.deploy.terraform.stacks import Applied
from tests.deploy.terraform.workspace import DEPLOY, REGION


def test_three_zones(moto: Applied) -> None:
    """There are nine subnets, three kinds in each of three zones, and the brokers' have no egress."""
    ec2 = moto.emulator.client("ec2")
    ours = [{"Name": "tag:application", "Values": ["ticketstream"]}]
    subnets = ec2.describe_subnets(Filters=ours)["Subnets"]
    assert len(subnets) == 9
    assert {each["AvailabilityZone"] for each in subnets} == {f"{REGION}{letter}" for letter in "abc"}
    tables = ec2.describe_route_tables(Filters=[{"Name": "tag:Name", "Values": ["ticketstream-dev-data"]}])[
        "RouteTables"
    ]
    assert [route.get("DestinationCidrBlock") for route in tables[0]["Routes"]] == ["10.20.0.0/16"]


def test_private_subnets_leave_through_a_nat_gateway(moto: Applied, plans: dict[str, Planned]) -> None:
    """A private subnet's way out is a gateway in a public subnet; prod has one in each zone, so a zone can be lost."""
    ec2 = moto.emulator.client("ec2")
    named = {
        subnet["SubnetId"]: tag["Value"]
        for subnet in ec2.describe_subnets()["Subnets"]
        for tag in subnet.get("Tags", [])
        if tag["Key"] == "Name"
    }
    gateways = {each["NatGatewayId"]: named[each["SubnetId"]] for each in ec2.describe_nat_gateways()["NatGateways"]}
    assert [*gateways.values()] == [f"ticketstream-dev-public-{REGION}a"]
    ways = {
        named[association["SubnetId"]]: route.get("NatGatewayId") or route["GatewayId"]
        for table in ec2.describe_route_tables()["RouteTables"]
        for association in table["Associations"]
        for route in table["Routes"]
        if "SubnetId" in association and route.get("DestinationCidrBlock") == "0.0.0.0/0"
    }
    for zone in "abc":
        assert ways.pop(f"ticketstream-dev-private-{REGION}{zone}") in gateways
        assert ways.pop(f"ticketstream-dev-public-{REGION}{zone}").startswith("igw-")
    assert ways == {}
    zones = {each["values"]["availability_zone"] for each in plans["prod"].resources("aws_subnet")}
    routes = [each["index"] for each in plans["prod"].resources("aws_route") if "route.nat" in each["address"]]
    assert {each["index"] for each in plans["prod"].resources("aws_nat_gateway")} == {*routes} == zones


def test_only_workers_services_and_clients_reach_a_broker(moto: Applied) -> None:
    """The brokers' security group allows one port, from tasks and clients; no group is open to the internet."""
    ec2 = moto.emulator.client("ec2")
    groups = {each["GroupName"]: each for each in ec2.describe_security_groups()["SecurityGroups"]}
    rules = groups["ticketstream-dev-brokers"]["IpPermissions"]
    assert {(rule["FromPort"], rule["ToPort"]) for rule in rules} == {(9098, 9098)}
    allowed = {pair["GroupId"] for rule in rules for pair in rule["UserIdGroupPairs"]}
    assert allowed == {groups[f"ticketstream-dev-{name}"]["GroupId"] for name in ("workers", "services", "clients")}
    assert moto.output("clients")["security_group"] == groups["ticketstream-dev-clients"]["GroupId"]
    for name, group in groups.items():
        if name.startswith("ticketstream-dev-"):
            assert [rule for rule in group["IpPermissions"] if rule.get("IpRanges")] == [], name


def test_services_start_with_their_minimum(moto: Applied) -> None:
    """Both roles start with the minimum of sizes.yaml, and each of three nodes has one task."""
    sizes = yaml.safe_load((DEPLOY / "sizes.yaml").read_text())["roles"]
    ecs = moto.emulator.client("ecs")
    names = ["enrichment-minilm", "embedding-minilm", "qdrant-a", "qdrant-b", "qdrant-c"]
    found = ecs.describe_services(cluster="ticketstream-dev", services=names)["services"]
    wanted = {each["serviceName"]: each["desiredCount"] for each in found}
    assert wanted == {
        "enrichment-minilm": sizes["enrichment"]["min_tasks"],
        "embedding-minilm": sizes["embedding"]["min_tasks"],
        "qdrant-a": 1,
        "qdrant-b": 1,
        "qdrant-c": 1,
    }


def test_each_node_has_its_own_zone_and_disk(moto: Applied) -> None:
    """Three encrypted volumes are in three zones, and three machines are pinned to those zones."""
    volumes = moto.emulator.client("ec2").describe_volumes(
        Filters=[{"Name": "tag:backup", "Values": ["ticketstream-dev-daily"]}]
    )
    assert sorted(each["AvailabilityZone"] for each in volumes["Volumes"]) == [f"{REGION}{letter}" for letter in "abc"]
    assert all(each["Encrypted"] for each in volumes["Volumes"])
    groups = moto.emulator.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert sorted((each["MinSize"], each["MaxSize"]) for each in groups) == [(1, 1)] * 3
    assert len({each["VPCZoneIdentifier"] for each in groups}) == 3


def test_a_machine_attaches_its_own_disk(moto: Applied) -> None:
    """A machine's start script is valid, and names the cluster, the node, and only the node's volume."""
    made = moto.resources()
    volumes = {each["index"]: each["values"]["id"] for each in made if each["type"] == "aws_ebs_volume"}
    scripts = [
        base64.b64decode(each["values"]["user_data"]).decode() for each in made if each["type"] == "aws_launch_template"
    ]
    assert len(scripts) == len(volumes) == 3
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
        assert "ECS_CLUSTER=ticketstream-dev\n" in script
        (node,) = re.findall(r'"node":"(qdrant-[a-z])"', script)
        assert f"--volume-id {volumes[node]} " in script
        assert [name for name, volume in volumes.items() if volume in script] == [node]


def test_the_bucket_of_models_is_private(moto: Applied) -> None:
    """The bucket of models is versioned, encrypted with our key, private and TLS-only."""
    s3 = moto.emulator.client("s3")
    bucket = moto.output("model_store").removeprefix("s3://")
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    assert '"aws:SecureTransport":"false"' in s3.get_bucket_policy(Bucket=bucket)["Policy"].replace(" ", "")


def test_logs_are_kept_for_a_month(moto: Applied) -> None:
    """Each of our log groups is encrypted and kept for 30 days."""
    groups = moto.emulator.client("logs").describe_log_groups(logGroupNamePrefix="/ticketstream-dev/")["logGroups"]
    assert len(groups) >= 5
    assert {(each["retentionInDays"], bool(each.get("kmsKeyId"))) for each in groups} == {(30, True)}


def test_the_brokers_configuration_is_the_shipped_file(ministack: Applied) -> None:
    """MSK gets every property of server.properties, and no comment."""
    kafka = ministack.emulator.client("kafka")
    (configuration,) = kafka.list_configurations()["Configurations"]
    revision = kafka.describe_configuration_revision(
        Arn=configuration["Arn"], Revision=configuration["LatestRevision"]["Revision"]
    )
    properties = revision["ServerProperties"]
    text = properties.decode() if isinstance(properties, bytes) else properties
    shipped = (DEPLOY / "k8s-ecs" / "msk" / "server.properties").read_text().splitlines()
    assert text.split() == [line.strip() for line in shipped if line.strip() and not line.strip().startswith("#")]


def test_single_mode_has_one_worker_service(ministack: Applied) -> None:
    """With mode = single there are one worker, the index's nodes, the HTTP services, the archiver and the producer."""
    arns = ministack.emulator.client("ecs").list_services(cluster="ticketstream-dev")["serviceArns"]
    nodes = {"qdrant-a", "qdrant-b", "qdrant-c"}
    assert {arn.rsplit("/", 1)[1] for arn in arns} == {
        "pipeline-minilm",
        "rag",
        "tickets",
        "archive",
        "producer",
        *nodes,
    }
