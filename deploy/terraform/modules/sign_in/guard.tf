# With keep_data, a plan that destroys or replaces the pool is refused: its users and their passwords exist nowhere else.

resource "terraform_data" "keeps_users" {
  count = var.keep_data ? 1 : 0

  lifecycle {
    prevent_destroy      = true
    replace_triggered_by = [aws_cognito_user_pool.this.id]
  }
}
