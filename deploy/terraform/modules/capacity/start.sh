#!/bin/bash
# Runs before the ECS agent starts: sets the machine's ECS attributes and attaches its persistent disk.
set -euo pipefail

cat >/etc/ecs/ecs.config <<'CONFIG'
ECS_CLUSTER=${cluster}
ECS_INSTANCE_ATTRIBUTES={"node":"${node}"}
ECS_AWSVPC_BLOCK_IMDS=true
ECS_ENABLE_TASK_IAM_ROLE=true
ECS_CONTAINER_STOP_TIMEOUT=120s
CONFIG
%{ if volume != null ~}

command -v aws >/dev/null || dnf install -y awscli-2
token=$(curl -sf -X PUT http://169.254.169.254/latest/api/token -H 'X-aws-ec2-metadata-token-ttl-seconds: 300')
machine=$(curl -sf -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/instance-id)

# The previous machine may still hold the disk.
until aws ec2 attach-volume --region ${region} --volume-id ${volume.id} --instance-id "$machine" --device /dev/sdf; do
  sleep 5
done
device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${replace(volume.id, "-", "")}
until [ -e "$device" ]; do sleep 1; done

# Only an empty disk is formatted.
blkid "$device" || mkfs.xfs "$device"
mkdir -p ${volume.path}
mount -o noatime "$device" ${volume.path}
echo "$device ${volume.path} xfs defaults,noatime 0 2" >>/etc/fstab
chown ${volume.owner} ${volume.path}

# Once a minute: fill the disk with the file system, if the volume has grown, and report how much is used.
cat >/usr/local/bin/watch-disk <<'WATCH'
#!/bin/bash
set -euo pipefail
xfs_growfs -d ${volume.path} >/dev/null
used=$(df --output=pcent ${volume.path} | tail -n 1 | tr -dc 0-9)
aws cloudwatch put-metric-data --region ${region} --namespace ${volume.metrics} --dimensions node=${node} \
  --metric-name index_disk_used_percent --unit Percent --value "$used"
WATCH
chmod 755 /usr/local/bin/watch-disk

# This script runs once in a machine's life, and a timer of systemd-run would end with a restart.
cat >/etc/systemd/system/watch-disk.service <<'UNIT'
[Unit]
RequiresMountsFor=${volume.path}

[Service]
Type=oneshot
ExecStart=/usr/local/bin/watch-disk
UNIT
cat >/etc/systemd/system/watch-disk.timer <<'UNIT'
[Timer]
OnBootSec=60
OnUnitActiveSec=60

[Install]
WantedBy=timers.target
UNIT
systemctl daemon-reload
systemctl enable --now watch-disk.timer
%{ endif ~}
