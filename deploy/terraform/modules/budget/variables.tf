variable "name" {
  description = "Name of the budget, unique in the account."
  type        = string
}

variable "environment" {
  description = "Value of the tag environment, by which AWS finds the resources."
  type        = string
}

variable "limit_usd" {
  description = "US dollars in a calendar month."
  type        = number
}

variable "topics" {
  description = "ARNs of the SNS topics by severity (warning, info)."
  type        = map(string)
}
