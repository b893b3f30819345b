# Where data is kept, a plan that destroys or replaces the cluster is refused: the log is the source of everything else.

resource "terraform_data" "keeps_log" {
  count = local.create && var.keep_data ? 1 : 0

  lifecycle {
    prevent_destroy      = true
    replace_triggered_by = [aws_msk_cluster.this[0].id]
  }
}
