variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "account_id" {
  description = "The account, which alone may use the keys."
  type        = string
}

variable "region" {
  description = "Region, for the principals of AWS's own services."
  type        = string
}
