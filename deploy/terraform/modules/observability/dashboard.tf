# The dashboard: the state of all alarms, the traffic, and a graph for each row of the runbook with the metrics of its alarms
# and the bounds at which they fire. It is made from the alarms of all modules in this region, so none is missing.

locals {
  drawn = merge({ for name, alarm in local.alarms : "${var.name}-${name}" => alarm }, var.others)
  rows  = distinct([for alarm in values(local.drawn) : alarm.runbook])

  # A widget shows 100 alarms at most.
  states = [for severity in ["critical", "warning"] : {
    title = "Alarms: ${severity}"
    names = sort([for name, alarm in local.drawn : name if alarm.severity == severity])
  }]

  graphs = concat(local.traffic, [for row in local.rows : {
    title    = row
    bounds   = distinct([for alarm in values(local.drawn) : { value = alarm.threshold, fill = startswith(alarm.comparison, "Less") ? "below" : "above" } if alarm.runbook == row])
    severity = distinct([for alarm in values(local.drawn) : alarm.severity if alarm.runbook == row])
    metrics = [for name, alarm in local.drawn : concat(
      [alarm.namespace, alarm.metric],
      flatten([for dimension, value in alarm.dimensions : [dimension, value]]),
      [{ label = trimprefix(name, "${var.name}-"), stat = alarm.statistic }],
    ) if alarm.runbook == row]
  }])

  traffic = [for graph in [
    {
      title   = "records waiting"
      metrics = [for name, worker in var.workers : ["AWS/Kafka", "SumOffsetLag", "Cluster Name", var.kafka.name, "Consumer Group", worker.group, "Topic", worker.topic, { label = name, stat = "Maximum" }]]
    },
    {
      title   = "tasks"
      metrics = [for name in concat(keys(var.workers), keys(local.served), keys(var.background)) : ["ECS/ContainerInsights", "RunningTaskCount", "ClusterName", var.cluster_name, "ServiceName", name, { label = name, stat = "Average" }]]
    },
    {
      title   = "requests a minute"
      metrics = [for name, service in local.served : ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", var.services.load_balancer, "TargetGroup", service.target_group, { label = name, stat = "Sum" }]]
    },
  ] : merge(graph, { bounds = [], severity = [] }) if length(graph.metrics) > 0]

  widgets = [for place, graph in local.graphs : {
    type   = "metric"
    x      = 8 * (place % 3)
    y      = 4 * length(local.states) + 6 * floor(place / 3)
    width  = 8
    height = 6
    properties = {
      title   = graph.title
      view    = "timeSeries"
      region  = var.region
      period  = 60
      metrics = graph.metrics
      yAxis   = { left = { min = 0 } }
      annotations = { horizontal = [for bound in graph.bounds : {
        label = join(", ", graph.severity)
        value = bound.value
        fill  = bound.fill
        color = contains(graph.severity, "critical") ? "#d13212" : "#ff9900"
      }] }
    }
  }]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name

  dashboard_body = jsonencode({
    start = "-PT3H"
    widgets = concat([for place, state in local.states : {
      type   = "alarm"
      x      = 0
      y      = 4 * place
      width  = 24
      height = 4
      properties = {
        title  = state.title
        sortBy = "stateUpdatedTimestamp"
        alarms = [for name in state.names : "arn:${var.partition}:cloudwatch:${var.region}:${var.account_id}:alarm:${name}"]
      }
    }], local.widgets)
  })
}
