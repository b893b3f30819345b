"""The CloudWatch metrics that alarms may use, with their dimensions. An alarm on any other would never fire.

Sources: the MSK developer guide (metrics of Standard brokers: DEFAULT and PER_BROKER level), the CloudWatch guide
(Container Insights metrics of ECS), the ECS guide (AWS/ECS), the guides of Network and Application Load Balancers, of
DynamoDB, of ElastiCache, of AWS Backup, of S3, of SQS, of Step Functions, of CloudFront and of WAF (with a
distribution), Lambda's ("Types of metrics for Lambda functions"), API Gateway's ("REST API metrics") and
SageMaker's ("Metrics for monitoring Amazon SageMaker AI").
"""

from typing import Final

_CLUSTER: Final = frozenset({"Cluster Name"})
_BROKER: Final = frozenset({"Cluster Name", "Broker ID"})
_GROUP: Final = frozenset({"Cluster Name", "Consumer Group", "Topic"})
_SERVICE: Final = frozenset({"ClusterName", "ServiceName"})
_COPY: Final = frozenset({"SourceBucket", "DestinationBucket", "RuleId"})
_FUNCTION: Final = frozenset({"FunctionName"})
_MACHINE: Final = frozenset({"StateMachineArn"})
_VARIANT: Final = frozenset({"EndpointName", "VariantName"})
_TARGETS: Final = frozenset({"LoadBalancer", "TargetGroup"})

METRICS: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("AWS/Kafka", "ActiveControllerCount"): _CLUSTER,
    ("AWS/Kafka", "OfflinePartitionsCount"): _CLUSTER,
    ("AWS/Kafka", "KafkaDataLogsDiskUsed"): _BROKER,
    ("AWS/Kafka", "UnderReplicatedPartitions"): _BROKER,
    ("AWS/Kafka", "EstimatedMaxTimeLag"): _GROUP,
    ("AWS/Kafka", "MaxOffsetLag"): _GROUP,
    ("AWS/Kafka", "SumOffsetLag"): _GROUP,
    ("AWS/ECS", "MemoryUtilization"): _SERVICE,
    ("ECS/ContainerInsights", "RunningTaskCount"): _SERVICE,
    ("AWS/NetworkELB", "HealthyHostCount"): _TARGETS,
    ("AWS/ApplicationELB", "HealthyHostCount"): _TARGETS,
    ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"): _TARGETS,
    ("AWS/ApplicationELB", "TargetResponseTime"): _TARGETS,
    ("AWS/DynamoDB", "ReadThrottleEvents"): frozenset({"TableName"}),
    ("AWS/DynamoDB", "WriteThrottleEvents"): frozenset({"TableName"}),
    ("AWS/Backup", "NumberOfBackupJobsCompleted"): frozenset({"BackupVaultName"}),
    ("AWS/Backup", "NumberOfBackupJobsFailed"): frozenset({"BackupVaultName"}),
    ("AWS/Backup", "NumberOfCopyJobsFailed"): frozenset({"BackupVaultName"}),
    ("AWS/S3", "OperationsFailedReplication"): _COPY,
    ("AWS/S3", "ReplicationLatency"): _COPY,
    ("ticketstream", "tickets_canary_ok"): frozenset({"function", "check"}),  # lambdas/emf.py
    ("AWS/Lambda", "Duration"): _FUNCTION,
    ("AWS/Lambda", "Errors"): _FUNCTION,
    ("AWS/Lambda", "IteratorAge"): _FUNCTION,
    ("AWS/Lambda", "Throttles"): _FUNCTION,
    ("AWS/ApiGateway", "5XXError"): frozenset({"ApiName", "Stage"}),
    ("AWS/ApiGateway", "Latency"): frozenset({"ApiName", "Stage"}),
    ("AWS/CloudFront", "5xxErrorRate"): frozenset({"DistributionId", "Region"}),
    ("AWS/WAFV2", "BlockedRequests"): frozenset({"WebACL", "Rule"}),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): frozenset({"QueueName"}),
    ("AWS/States", "ExecutionsFailed"): _MACHINE,
    ("AWS/States", "ExecutionsTimedOut"): _MACHINE,
    ("AWS/States", "ExecutionThrottled"): _MACHINE,
    ("AWS/States", "ExecutionTime"): _MACHINE,
    ("AWS/SageMaker", "Invocation5XXErrors"): _VARIANT,
    ("AWS/SageMaker", "ModelLatency"): _VARIANT,
    ("/aws/sagemaker/Endpoints", "MemoryUtilization"): _VARIANT,
    ("AWS/ElastiCache", "EngineCPUUtilization"): frozenset({"CacheClusterId"}),
}
